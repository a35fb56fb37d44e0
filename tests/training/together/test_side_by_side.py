"""A step of several networks together is the step of each of them alone."""

from copy import deepcopy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rethink_det import UserError
from rethink_det.architecture.input_selection import select_inputs
from rethink_det.registered import build
from rethink_det.registry import MODELS
from rethink_det.training.generators import seeded
from rethink_det.training.hooks.masking import MaskingHook
from rethink_det.training.together.handed import handed_loss
from rethink_det.training.together.side_by_side import Losses, Step, step_together

EXACT = {torch.float64: 1e-10, torch.float32: 1e-5}
SIZE = 8
LINEAR = dict(type='rethink_det.LinearHead')
HIDDEN = dict(type='rethink_det.MLPHead', hidden=(8,), pool=1, norm=True, dropout=0)


def classifier(backbone, head=LINEAR, classes=3, size=SIZE):
    config = dict(
        type='rethink_det.Classifier',
        backbone=dict(backbone),
        head={**head, 'num_classes': classes},
        input_shape=(3, size, size),
    )
    return build(MODELS, config)


def fresh(model, seed):
    """The model with the weights that a training begins with, in training mode."""
    with seeded(seed):
        model.init_weights()
    return model.train()


def lively(model, seed):
    """The model with BatchNorms of its own, nothing at 0 or 1."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in fresh(model, seed).modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.weight.uniform_(0.5, 2, generator=generator)
                module.bias.normal_(0, 0.5, generator=generator)
                module.running_mean.normal_(0, 1, generator=generator)
    return model


def as_is(model, seed):
    return model


def selecting(model, seed):
    """Every second convolution of a block reads a third of its channels, each model its own."""
    generator = torch.Generator().manual_seed(seed)
    for name, layer in list(model.named_modules()):
        if isinstance(layer, nn.Conv2d) and name.endswith('.conv1'):
            kept = torch.randperm(layer.in_channels, generator=generator)
            select_inputs(model, name, sorted(kept[: 1 + layer.in_channels // 3].tolist()))
    return model


def masked(model, seed):
    """A third of the weights of the convolutions stay 0."""
    generator = torch.Generator().manual_seed(seed)
    weights = {n: p for n, p in model.named_parameters() if p.dim() == 4}
    masks = {n: torch.rand(p.shape, generator=generator) < 0.6 for n, p in weights.items()}
    model.masks = masks
    MaskingHook().hold(model, masks)
    return model


def steps_of(models, dtype, batch=6, size=SIZE, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for model in models:
        shape = batch, 3, size, size
        images = torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
        yield Step(Losses(model), images, torch.randint(3, (batch,), generator=generator))


def apart(one, other):
    """How far two are apart, as a share of the largest value."""
    top = max(float(other.abs().max()), 1e-3) if other.numel() else 1.0
    return float((one - other).abs().max()) / top if other.numel() else 0.0


def assert_as_alone(models, dtype, **batch):
    """Losses, gradients as hooks leave them, and buffers are those of each alone."""
    models = [model.to(dtype) for model in models]
    copies = [deepcopy(model) for model in models]
    for copy in copies:
        if hasattr(copy, 'masks'):  # a copy has no hooks on its tensors
            MaskingHook().hold(copy, copy.masks)
    steps = list(steps_of(models, dtype, **batch))
    found = step_together(steps)
    whole = []
    for step, own, copy in zip(steps, found, copies, strict=True):
        handed_loss(own, step.losses.state()).backward()
        alone = copy(step.inputs, step.gt_label, mode='loss')['loss']
        alone.backward()
        gradients = dict(copy.named_parameters())
        top = max(1.0, *(float(p.grad.abs().max()) for p in gradients.values()))
        for name, parameter in step.losses.model.named_parameters():
            distance = (parameter.grad - gradients[name].grad).abs().max()
            assert float(distance) <= EXACT[dtype] * top, name
        buffers = dict(copy.named_buffers())
        for name, buffer in step.losses.model.named_buffers():
            assert apart(buffer.double(), buffers[name].double()) <= EXACT[dtype], name
        whole.append(apart(own.loss, alone.detach()))
    assert max(whole) <= EXACT[dtype]


def several(make, change=as_is, number=5):
    def one(seed):
        with seeded(seed):
            return make()

    return [change(lively(one(seed), seed), seed) for seed in range(number)]


PRERESNET = dict(type='rethink_det.PreResNet', depth=11, base_channels=3)
RESNET = dict(type='rethink_det.CifarResNet', depth=20, base_channels=4)
DENSENET = dict(type='rethink_det.DenseNet', depth=40, growth=2)
VGG = dict(type='rethink_det.VGG', depth=16, base_channels=4, conv_bias=False, last_pool=False)
NETWORKS = {
    'ResNet-20': (RESNET, {}),
    'VGG-16': (VGG, dict(head=HIDDEN, size=32)),
    'DenseNet-40': (DENSENET, {}),
    'PreResNet, selecting': (PRERESNET, dict(change=selecting)),
    'masked ResNet-20': (RESNET, dict(change=masked)),
}


@pytest.mark.parametrize('dtype', EXACT)
@pytest.mark.parametrize('name', NETWORKS)
def test_five_of_each_kind(name, dtype):
    backbone, more = NETWORKS[name]
    head, size, change = more.get('head', LINEAR), more.get('size', SIZE), more.get('change', as_is)
    made = several(lambda: classifier(backbone, head, size=size), change)
    assert_as_alone(made, dtype, batch=12, size=size)


WIDTHS, SHORTCUTS = st.integers(1, 5), ('avgpool', 'subsample', 'subsample-append')
BACKBONES = st.one_of(
    st.builds(
        lambda width, shortcut: dict(
            type='rethink_det.CifarResNet', depth=8, base_channels=width, shortcut=shortcut
        ),
        WIDTHS,
        st.sampled_from(SHORTCUTS),
    ),
    st.builds(
        lambda width, narrow, whole: dict(
            type='rethink_det.DenseNet',
            depth=10,
            growth=width,
            bottleneck=narrow,
            compression=1.0 if whole else 0.5,
        ),
        WIDTHS,
        st.booleans(),
        st.booleans(),
    ),
    st.builds(lambda width: {**PRERESNET, 'base_channels': width}, WIDTHS),
    st.builds(
        lambda width, norm: {**VGG, 'depth': 11, 'base_channels': width, 'norm': norm},
        WIDTHS,
        st.booleans(),
    ),
)
CHANGES = st.sampled_from([as_is, selecting, masked])


@settings(max_examples=8)
@given(BACKBONES, st.sampled_from([LINEAR, HIDDEN]), CHANGES, st.integers(1, 3), st.integers(4, 7))
def test_any_network(backbone, head, change, number, batch):
    size = 16 if backbone['type'] == 'rethink_det.VGG' else SIZE
    made = several(lambda: classifier(backbone, head, size=size), change, number)
    assert_as_alone(made, torch.float64, batch=batch, size=size)


def results(steps):
    """Losses and gradients of the steps that are there, and the buffers after."""
    found = []
    for step, own in zip(steps, step_together(steps), strict=True):
        assert (step is None) == (own is None)
        if step is not None:
            buffers = {n: b.clone() for n, b in step.losses.named_buffers()}
            found.append((own.loss, own.gradients, buffers))
    return found


def small(number=3):
    return several(lambda: classifier({**RESNET, 'depth': 8}), number=number)


def assert_same_bits(one, other):
    for left, right in zip(one, other, strict=True):
        torch.testing.assert_close(left, right, rtol=0, atol=0)


@pytest.mark.parametrize('missing', [{0}, {2}, {0, 1}])
def test_who_else_is_there_changes_no_bit(missing):
    all_there = results(list(steps_of(small(), torch.float32)))
    steps = [None if i in missing else s for i, s in enumerate(steps_of(small(), torch.float32))]
    some = results(steps)
    assert_same_bits(some, [one for i, one in enumerate(all_there) if i not in missing])


@pytest.mark.parametrize('poison', [float('nan'), float('inf')])
def test_a_member_that_diverged_touches_no_other(poison):
    whole = results(list(steps_of(small(), torch.float32)))
    models = small()
    with torch.no_grad():
        models[1].backbone.conv1.weight[0] = poison
    steps = list(steps_of(models, torch.float32))
    steps[1].inputs[0, 0, 0, 0] = poison
    found = results(steps)
    assert not found[1][0].isfinite()
    assert_same_bits([found[0], found[2]], [whole[0], whole[2]])


def test_images_may_lie_in_any_layout():
    contiguous = list(steps_of(small(), torch.float32))
    other = [
        Step(s.losses, s.inputs.contiguous(memory_format=torch.channels_last), s.gt_label)
        for s in steps_of(small(), torch.float32)
    ]
    assert_same_bits(results(contiguous), results(other))


def test_what_does_not_train_has_no_gradient_and_what_is_not_used_none():
    models = small(2)
    for model in models:
        model.backbone.conv1.weight.requires_grad_(False)
        model.register_parameter('unused', nn.Parameter(torch.ones(2)))
    found = step_together(list(steps_of(models, torch.float32)))
    for own in found:
        assert 'model.backbone.conv1.weight' not in own.gradients
        assert own.gradients['model.unused'] is None
        assert own.gradients['model.backbone.bn1.weight'] is not None


def test_random_numbers_within_a_network_are_refused():
    head = dict(type='rethink_det.MLPHead', hidden=(8,), pool=1)
    steps = list(steps_of(several(lambda: classifier(RESNET, head), number=2), torch.float32))
    with pytest.raises(UserError, match='random.*--together 1 trains it alone'):
        step_together(steps)


@pytest.mark.parametrize('number', [0, 2])
def test_no_member_is_no_step(number):
    with pytest.raises(ValueError, match='no member'):
        step_together([None] * number)
