"""StructureScaleHook: accelerated proximal gradient, resumed, scaled and split losses."""

import pytest
import torch

from rethink_det import UserError
from rethink_det.architecture.checkpoint import digest
from rethink_det.architecture.structure_scales import MOMENTUM, SCALE, fold_scales, scaled_layers
from rethink_det.registry import MODELS
from rethink_det.training import StructureScaleHook
from rethink_det.training.hooks.structure_scale import proximal_step
from rethink_det.training.launch import evaluate, train


def hook(**settings) -> dict:
    return dict(type='rethink_det.StructureScaleHook', **{'weight': 0.5, **settings})


def scales(state) -> dict[str, torch.Tensor]:
    return fold_scales(state)[1]


def test_one_step_by_hand():
    scale, velocity = torch.tensor([1.0, 1.0, 0.05, 0.0]), torch.tensor([0.2, 0.0, 0.0, -0.1])
    gradient = torch.tensor([2.0, -1.0, 0.0, -3.0])
    # z = 1 - 0.1 * 2 = 0.8; S_0.1(z) = 0.7; v = 0.7 - 1 + 0.5 * 0.2 = -0.2; 0.7 - 0.1 = 0.6
    # z = 1.1; S = 1.0; v = 0; 1.0
    # z = 0.05; S = 0; v = -0.05; -0.025 is below zero
    # z = 0.3; S = 0.2; v = 0.2 - 0.05 = 0.15; 0.2 + 0.075: a factor of zero comes back
    new, v = proximal_step(scale, velocity, gradient, lr=0.1, weight=1.0, momentum=0.5)
    assert torch.allclose(new, torch.tensor([0.6, 1.0, 0.0, 0.275]))
    assert torch.allclose(v, torch.tensor([-0.2, 0.0, -0.05, 0.15]))


def test_without_a_gradient_factors_reach_zero_exactly_and_stay():
    scale, velocity = torch.ones(()), torch.zeros(())
    for _ in range(100):
        scale, velocity = proximal_step(scale, velocity, torch.zeros(()), 0.1, 0.5, 0.9)
    assert scale == 0
    assert proximal_step(scale, velocity, torch.tensor(0.4), 0.1, 0.5, 0.9)[0] == 0


@pytest.mark.parametrize('lr', [None, 0.2])
def test_a_training_step_is_that_step_of_the_losss_gradient(tiny_config, run_with, watch, lr):
    gradients, after = [], []

    class Look(watch):
        priority = 'VERY_HIGH'

    def gradient(model):
        layers = scaled_layers(model).values()
        gradients.append([getattr(layer, SCALE).grad.clone() for layer in layers])

    def factors(model):
        layers = scaled_layers(model).values()
        after.append([getattr(layer, SCALE).detach().clone() for layer in layers])
        assert all(getattr(layer, SCALE).grad is None for layer in layers)

    config = tiny_config(epochs=1, hooks=[hook(lr=lr)])
    run_with(config, Look(after_train_iter=gradient), watch(after_train_iter=factors))
    assert len(after[0]) == 3
    state = [(torch.ones(()), torch.zeros(()))] * 3
    for step in range(3):
        state = [
            proximal_step(scale, velocity, found, lr or 0.05, 0.5, 0.9)
            for (scale, velocity), found in zip(state, gradients[step], strict=True)
        ]
        for (expected, _), found in zip(state, after[step], strict=True):
            assert found.dim() == 0 and torch.equal(found, expected)
        assert all(found != 0 for found in gradients[step])


def test_the_gradient_is_that_of_a_numeric_difference(tiny_config, stand_in, optim_wrapper):
    torch.manual_seed(0)
    model = MODELS.build(tiny_config().model).double()
    runner = stand_in(model=model, optim_wrapper=optim_wrapper(model))
    scaling = StructureScaleHook(1.0, 'neuron')
    scaling.before_run(runner)
    scaling.before_train(runner)
    images, labels = torch.randn(4, 3, 8, 8).double(), torch.tensor([0, 1, 1, 0])

    def loss():
        return model(images, labels, mode='loss')['loss']

    scale = getattr(model.backbone.layer2[0].bn1, SCALE)
    loss().backward()
    found, ends = scale.grad[2], []
    for step in (1e-3, -1e-3):
        with torch.no_grad():
            scale[2] = 1 + step
            ends.append(loss().item())
    assert found.item() == pytest.approx((ends[0] - ends[1]) / 2e-3, rel=1e-3)


@pytest.mark.parametrize('structures', ['block', 'neuron'])
def test_a_resumed_run_ends_alike(resumes_alike, structures):
    end = resumes_alike([hook(structures=structures, weight=3.0)])
    found = scales(end['state_dict'])
    assert len(found) == 3
    assert all((scale < 1).all() and (scale >= 0).all() for scale in found.values())
    assert any(name.endswith(MOMENTUM) for name in end['state_dict'])
    assert not any('structure' in str(name) for name in end['optimizer']['param_groups'])


def test_a_strong_penalty_removes_blocks_and_a_weak_one_none(tiny_config, last):
    zeros = {}
    for weight in (20.0, 0.0):
        config = tiny_config(str(weight), hooks=[hook(weight=weight)])
        train(config)
        zeros[weight] = [scale.item() == 0 for scale in scales(last(config)['state_dict']).values()]
    assert zeros == {20.0: [True] * 3, 0.0: [False] * 3}


def test_the_checkpoint_is_evaluated_with_its_factors_and_folded_without(tiny_config, last):
    config = tiny_config(hooks=[hook(weight=2.0)])
    metrics = train(config)
    path = f'{config.work_dir}/epoch_3.pth'
    assert evaluate(tiny_config(hooks=[hook()]), path) == metrics
    state, _ = fold_scales(last(config)['state_dict'])
    torch.save({'state_dict': state}, f'{config.work_dir}/folded.pth')
    assert evaluate(tiny_config(), f'{config.work_dir}/folded.pth') == metrics


@pytest.mark.parametrize('mixed, batches', [(True, 1), (False, 2), (True, 2)])
def test_loss_scale_and_accumulation_change_no_step(
    tiny_config, stand_in, optim_wrapper, mixed, batches
):
    def stepped(mixed, batches):
        torch.manual_seed(0)
        model = MODELS.build(tiny_config().model)
        wrapper = optim_wrapper(model, mixed, lr=0.01, accumulative_counts=batches)
        wrapper.initialize_count_status(model, 0, 8)
        runner, scaling = stand_in(model=model, optim_wrapper=wrapper), StructureScaleHook(0.1)
        scaling.before_run(runner)
        scaling.before_train(runner)
        images, labels = torch.randn(4, 3, 8, 8), torch.tensor([0, 1, 1, 0])
        for _ in range(batches):
            scaling.before_train_iter(runner, 0)
            wrapper.update_params(model(images, labels, mode='loss')['loss'])
            scaling.after_train_iter(runner, 0)
        return torch.stack([getattr(m, SCALE).detach() for m in scaled_layers(model).values()])

    plain = stepped(False, 1)
    assert torch.allclose(stepped(mixed, batches), plain, atol=1e-6)
    assert (plain != 1).all()


def test_an_overflow_of_mixed_precision_is_no_step(tiny_config, stand_in, optim_wrapper):
    model = MODELS.build(tiny_config().model)
    runner = stand_in(model=model, optim_wrapper=optim_wrapper(model, mixed=True))
    scaling = StructureScaleHook(0.1)
    scaling.before_run(runner)
    scaling.before_train(runner)
    scaling.before_train_iter(runner, 0)
    runner.optim_wrapper.update_params(model(torch.randn(4, 3, 8, 8)).sum() * float('inf'))
    scaling.after_train_iter(runner, 0)
    assert all(getattr(layer, SCALE) == 1 for layer in scaled_layers(model).values())


def test_an_averaged_model_has_factors_of_its_own(tiny_config, last):
    config = tiny_config(hooks=[dict(type='mmengine.EMAHook'), hook(weight=2.0)])
    train(config)
    checkpoint = last(config)
    averaged = {n for n in checkpoint['ema_state_dict'] if n.endswith(SCALE)}
    assert averaged == {f'module.{n}' for n in checkpoint['state_dict'] if n.endswith(SCALE)}


def test_afterwards_the_model_can_be_copied_and_moved(tiny_config, run_with):
    runner = run_with(tiny_config(epochs=1, hooks=[hook()]))
    moved = runner.model.to('meta')
    assert all(getattr(m, SCALE).is_leaf for m in scaled_layers(moved).values())
    assert len(runner.optim_wrapper.param_groups[0]['params']) == len(list(moved.parameters()))


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(weight=-1), 'weight must be a finite number of at least 0'),
        (dict(lr=-0.1), 'lr must be a finite number of at least 0'),
        (dict(momentum=-0.9), 'momentum must be a finite number of at least 0'),
        (dict(structures='filter'), "structures must be one of .*, got 'filter'"),
        (dict(structures='group'), "no structures of the kind 'group'"),
    ],
)
def test_impossible_settings_are_refused(tiny_config, settings, message):
    with pytest.raises(UserError, match=message):
        train(tiny_config(hooks=[hook(**settings)]))


@pytest.mark.parametrize('before', [[], [hook(structures='neuron')]])
def test_a_run_without_these_factors_is_not_resumed(tiny_config, last, before):
    config = tiny_config(epochs=1, hooks=before)
    train(config)
    state = digest(last(config)['state_dict'])
    with pytest.raises(UserError, match='has no backbone.layer1.0.bn2.structure_scale of shape'):
        train(tiny_config(epochs=2, hooks=[hook()], resume=True))
    assert digest(last(config)['state_dict']) == state


@pytest.mark.parametrize('name', ['weight', 'lr', 'momentum'])
def test_a_setting_that_is_no_finite_number_is_refused_by_name(name):
    with pytest.raises(UserError, match=f'StructureScaleHook: {name} must be a finite number'):
        StructureScaleHook(**{'weight': 0.1, name: float('nan')})


def test_a_momentum_that_lets_every_step_grow_is_refused():
    with pytest.raises(UserError, match='momentum must be below 1, got 1.5'):
        StructureScaleHook(weight=0.1, momentum=1.5)
