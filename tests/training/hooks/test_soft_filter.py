"""SoftFilterHook: which filters are zero, when, and that they come back to life."""

import pytest
import torch
from torch import nn

from rethink_det import UserError
from rethink_det.training import SoftFilterHook
from rethink_det.training.hooks.soft_filter import num_zero, zero_filters
from rethink_det.training.launch import train
from tests.checkpoints import of_arm


def hook(**settings) -> dict:
    return dict(type='rethink_det.SoftFilterHook', **settings)


def zeros(weight) -> int:
    return int((weight.flatten(1) == 0).all(dim=1).sum())


def filters(state) -> dict[str, int]:
    """How many filters of each convolution are all zero."""
    return {name: zeros(t) for name, t in state.items() if t.dim() == 4}


@pytest.mark.parametrize(
    'keep, published', [(0.7, {16: 4, 32: 9, 64: 19}), (0.9, {16: 1, 32: 3, 64: 6})]
)
def test_as_many_filters_as_published_are_zero(keep, published):
    assert {width: num_zero(width, keep) for width in published} == published


def test_the_smallest_filters_by_l2_norm_go():
    conv = nn.Conv2d(1, 4, (1, 2))
    with torch.no_grad():  # L2 norms 3, 2.8, 1, 4.2; by L1 the first would be the smaller
        conv.weight.copy_(torch.tensor([[3, 0], [2, 2], [0, -1], [3, 3.0]]).view(4, 1, 1, 2))
        bias = conv.bias.clone()
    zero_filters(conv, 2)
    assert conv.weight.detach().flatten(1).any(dim=1).tolist() == [True, False, False, True]
    assert torch.equal(conv.bias, bias)


def test_zero_at_the_start_after_every_epoch_and_in_checkpoints_but_trained_between(
    tiny_config, run_with, watch, last
):
    seen = {'start': [], 'step': [], 'validation': []}

    def look(name):
        return lambda model: seen[name].append(sum(filters(model.state_dict()).values()))

    config = tiny_config(hooks=[hook(keep=0.5)], lr=0.5)
    points = watch(
        before_train_epoch=look('start'), after_train_iter=look('step'),
        before_val_epoch=look('validation'),
    )  # fmt: skip
    run_with(config, points)
    half = sum(width // 2 for width in (4, 4, 4, 8, 8, 16, 16))
    assert seen['start'] == seen['validation'] == [half] * 3
    assert max(seen['step']) < half
    assert sum(filters(last(config)['state_dict']).values()) == half


def test_a_resumed_run_ends_alike(resumes_alike):
    state = resumes_alike([hook(keep=0.7)])['state_dict']
    found = filters(state)
    assert found['backbone.conv1.weight'] == 1 and found['backbone.layer3.0.conv1.weight'] == 4
    assert state['backbone.bn1.weight'].all()


def test_patterns_choose_the_layers(tiny_config, last):
    config = tiny_config(epochs=1, hooks=[hook(keep=0.5, layers=['layer1.*', 'layer3.0.conv2'])])
    train(config)
    chosen = {name for name, count in filters(last(config)['state_dict']).items() if count}
    assert chosen == {
        f'backbone.{name}.weight' for name in ('layer1.0.conv1', 'layer1.0.conv2', 'layer3.0.conv2')
    }


def test_transferred_weights_are_pruned_before_the_first_step(tiny_config, run_with, watch):
    config = tiny_config('source', epochs=1)
    train(config)
    transfer = dict(
        type='rethink_det.TransferHook', arm='fine-tune', part=None,
        checkpoint=str(of_arm(f'{config.work_dir}/epoch_1.pth', 'pruned')),
    )  # fmt: skip
    seen = []
    look = watch(before_train_epoch=lambda model: seen.append(filters(model.state_dict())))
    run_with(tiny_config(epochs=1, hooks=[hook(keep=0.5), transfer]), look)
    assert seen[0]['backbone.layer3.0.conv1.weight'] == 8


@pytest.mark.parametrize('keep', [0, -0.1, 1.1])
def test_an_impossible_rate_is_refused(keep):
    with pytest.raises(UserError, match='keep must be above 0 and at most 1'):
        SoftFilterHook(keep)


def test_a_pattern_that_matches_nothing_is_refused(tiny_config):
    config = tiny_config(hooks=[hook(layers=['layer1.*', 'stage9.*'])])
    with pytest.raises(UserError, match="'stage9.*' matches no convolution .* it has .*conv1"):
        train(config)


def test_a_rate_that_is_no_number_is_refused():
    with pytest.raises(UserError, match="SoftFilterHook: keep must be a finite number, got '0.7'"):
        SoftFilterHook('0.7')


@pytest.mark.parametrize('layers', [3, None, []], ids=str)
def test_layers_of_no_form_are_refused(layers):
    with pytest.raises(UserError, match='layers must be a name pattern of convolutions'):
        SoftFilterHook(layers=layers)
