"""Classification models of torchvision as backbones: what they compute, and how they begin."""

import pytest
import torch
import torchvision

from rethink_det.architecture import Cut, PrunedArchitecture
from rethink_det.architecture.initialization import fresh_weights
from rethink_det.architecture.network import build_backbone, feature_shapes, without_memory
from rethink_det.classification.backbones.torchvision_init import RULES
from rethink_det.errors import UserError

HEAD = dict(type='rethink_det.LinearHead', num_classes=5)
SMALL = {
    'alexnet': {},
    'convnext_tiny': {},
    'densenet121': {},
    'efficientnet_b0': {},
    'efficientnet_v2_s': {},
    'googlenet': dict(transform_input=True),
    'inception_v3': {},
    'maxvit_t': {},
    'mnasnet0_5': {},
    'mobilenet_v2': {},
    'mobilenet_v3_small': {},
    'regnet_y_400mf': {},
    'resnet18': {},
    'shufflenet_v2_x0_5': {},
    'squeezenet1_0': {},
    'swin_t': {},
    'swin_v2_t': {},
    'vgg11_bn': {},
    'vit_b_32': dict(image_size=64),
}
"""One of each family, and its settings for images of 64 pixels."""
SIDES = {'inception_v3': 75, 'maxvit_t': 224}
"""Of those that need larger ones."""

QUICK = ('efficientnet_b0', 'mnasnet0_5', 'mobilenet_v3_small', 'resnet18', 'swin_t', 'vit_b_32')
each_model = pytest.mark.parametrize(
    'name', [pytest.param(n, marks=[] if n in QUICK else pytest.mark.slow) for n in SMALL]
)


def config(name, **settings):
    return dict(type='rethink_det.TorchvisionBackbone', model_name=name, **settings)


def theirs(name):
    auxiliary = name in ('googlenet', 'inception_v3')
    more = {'aux_logits': False, 'init_weights': True} if auxiliary else {}
    torch.manual_seed(0)
    return torchvision.models.get_model(name, weights=None, **SMALL[name], **more)


def last_map(model, images):
    """What the head of a model is handed, through a hook."""
    seen = []
    first = {
        'MNASNet': 'layers',
        'MobileNetV2': 'features',
        'ShuffleNetV2': 'conv5',
        'DenseNet': 'features',
    }
    kind = type(model).__name__
    if kind == 'VisionTransformer':
        model.heads.register_forward_pre_hook(lambda _, x: seen.append(x[0][:, :, None, None]))
    elif kind in first:
        module = model.get_submodule(first[kind])
        module.register_forward_hook(lambda _, __, output: seen.append(output))
    else:
        head = model.avgpool if hasattr(model, 'avgpool') else model.classifier
        head.register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    model(images)
    return seen[0].relu() if kind == 'DenseNet' else seen[0]


@pytest.mark.slow
def test_every_family_of_torchvision_has_a_model_here():
    assert {type(build_backbone(config(name)).network).__name__ for name in SMALL} == set(RULES)


@pytest.mark.slow
@pytest.mark.parametrize('name', torchvision.models.list_models(torchvision.models))
def test_every_model_of_torchvision_has_maps(name):
    backbone = without_memory(lambda: build_backbone(config(name)))
    shapes = feature_shapes(backbone, (3, 224, 224))
    sides = [side for _, side, _ in shapes]
    assert sides == sorted(set(sides), reverse=True) and sides[-1] <= 13


@each_model
@torch.no_grad()
def test_its_last_map_is_what_torchvisions_head_reads(name, unsettle):
    model = unsettle(theirs(name)).eval()
    backbone = build_backbone(config(name, **SMALL[name])).eval()
    named = {f'network.{key}': tensor for key, tensor in model.state_dict().items()}
    state = {key: tensor for key, tensor in named.items() if key in backbone.state_dict()}
    backbone.load_state_dict(state)
    side = SIDES.get(name, 64)
    images = torch.rand(2, 3, side, side)
    maps = backbone(images)
    expected = last_map(model, images)
    assert torch.allclose(maps[-1], expected, atol=1e-5)
    assert all(map.dim() == 4 and len(map) == 2 for map in maps)
    again = build_backbone(config(name, **SMALL[name], out_indices=(1,))).eval()
    again.load_state_dict(state)
    if name != 'vit_b_32':
        assert torch.equal(again(images)[0], maps[1])


@each_model
def test_it_begins_as_torchvisions_does(name):
    model, backbone = theirs(name), build_backbone(config(name, **SMALL[name]))
    fresh_weights(backbone)
    expected = dict(model.named_parameters())
    for key, parameter in backbone.network.named_parameters():
        there, count = expected[key], parameter.numel()
        if (there == there.flatten()[0]).all():
            assert torch.equal(parameter, there), key
        elif count > 100:  # as near as two draws are
            spread = there.std().item()
            assert parameter.std().item() == pytest.approx(spread, rel=5 / count**0.5), key
            mean = pytest.approx(there.mean().item(), abs=7 * spread / count**0.5)
            assert parameter.mean().item() == mean, key


def test_a_pruned_network_begins_by_its_own_widths():
    base = PrunedArchitecture(config('mobilenet_v2'), HEAD, (3, 64, 64))
    layer = 'network.features.18.0'
    network = base.after(Cut(channels={layer: range(640)})).build()
    last = network.get_submodule(layer)
    assert last.out_channels == 640
    assert last.weight.std().item() == pytest.approx((2 / 640) ** 0.5, rel=0.03)


def test_blocks_that_begin_as_nothing_stay_so():
    block = build_backbone(config('resnet18', zero_init_residual=True))
    fresh_weights(block)
    assert not block.network.layer1[0].bn2.weight.any()
    assert block.network.layer1[0].bn1.weight.all()


@torch.no_grad()
def test_maps_have_the_strides_that_detectors_read():
    backbone = build_backbone(config('resnet18', out_indices=(1, 2, 3, 4))).eval()
    maps = backbone(torch.zeros(1, 3, 64, 64))
    assert [m.shape[1:] for m in maps] == [(64, 16, 16), (128, 8, 8), (256, 4, 4), (512, 2, 2)]


@torch.no_grad()
def test_of_a_vision_transformer_the_patches_are_a_map():
    settings = dict(image_size=64, out_indices=(0, 11))
    maps = build_backbone(config('vit_b_32', **settings)).eval()(torch.rand(1, 3, 64, 64))
    assert [m.shape for m in maps] == [(1, 768, 2, 2)] * 2
    normalised = maps[1].mean(1), maps[1].var(1, unbiased=False)
    assert torch.allclose(normalised[0], torch.zeros(1), atol=1e-5)
    assert torch.allclose(normalised[1], torch.ones(1), atol=1e-3)


@pytest.mark.parametrize(
    'name, settings, message',
    [
        ('resnet1', {}, "no classification model 'resnet1'; of its [0-9]+ are like it: resnet18"),
        ('fcn_resnet50', {}, "no classification model 'fcn_resnet50'"),
        ('resnet18', {'weights': 'DEFAULT'}, 'weights is no setting of the backbone'),
        ('resnet18', {'num_classes': 3}, 'num_classes is no setting of the backbone'),
        ('resnet18', {'depth': 3}, "cannot make a backbone of 'resnet18'.*'depth'"),
        ('vit_b_32', {'image_size': 65}, 'indivisible by patch size'),
        ('resnet18', {'out_indices': (5,)}, r'some of 0 to 4, its maps, got \[5\]'),
        ('resnet18', {'out_indices': (-1,)}, r'some of 0 to 4, its maps, got \[-1\]'),
        ('resnet18', {'out_indices': ()}, r'some of 0 to 4, its maps, got \[\]'),
    ],
)
def test_what_torchvision_does_not_make_is_refused(name, settings, message):
    with pytest.raises(UserError, match=message):
        build_backbone(config(name, **settings))


@torch.no_grad()
def test_plain_state_dicts_without_a_version_are_loaded():
    backbone = build_backbone(config('mnasnet0_5'))
    backbone.load_state_dict({name: t * 0 for name, t in backbone.state_dict().items()})
    assert not any(tensor.any() for tensor in backbone.state_dict().values())


def test_a_model_of_the_users_own_is_refused(monkeypatch):
    make = torchvision.models.resnet18

    class Strange(torchvision.models.ResNet):
        pass

    def strange(**settings):
        network = make()
        network.__class__ = Strange
        return network

    monkeypatch.setattr(torchvision.models, 'get_model', lambda name, **_: strange())
    with pytest.raises(UserError, match="'resnet18' of torchvision is a Strange, of which"):
        build_backbone(config('resnet18'))


# -- what torchvision's own last layer reads -------------------------------------------------


@pytest.mark.parametrize(
    'name',
    [
        'mobilenet_v3_small',
        'resnet18',
        'vit_b_32',
        pytest.param('vgg11_bn', marks=pytest.mark.slow),
        pytest.param('alexnet', marks=pytest.mark.slow),
        pytest.param('convnext_tiny', marks=pytest.mark.slow),
        pytest.param('maxvit_t', marks=pytest.mark.slow),
    ],
)
@torch.no_grad()
def test_it_puts_out_what_torchvisions_last_layer_reads(name, unsettle):
    model = unsettle(theirs(name)).eval()
    last = [layer for layer in model.modules() if isinstance(layer, torch.nn.Linear)][-1]
    seen = []
    last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    backbone = build_backbone(config(name, classifier_input=True, **SMALL[name])).eval()
    state = {f'network.{key}': tensor for key, tensor in model.state_dict().items()}
    backbone.load_state_dict({key: state[key] for key in backbone.state_dict()})
    images = torch.rand(2, 3, *[SIDES.get(name, 64)] * 2)
    model(images)
    assert torch.allclose(backbone(images)[-1].flatten(1), seen[0], atol=1e-6)


def test_in_a_detector_what_no_map_needs_is_there_and_frozen():
    name, settings = 'mobilenet_v3_small', dict(classifier_input=True)
    whole, part = (
        build_backbone(config(name, **settings, **more)) for more in ({}, {'out_indices': (1, 2)})
    )
    assert set(whole.state_dict()) == set(part.state_dict())
    sum(m.square().sum() for m in part(torch.randn(2, 3, 64, 64))).backward()
    used = {n for n, p in part.named_parameters() if p.grad is not None}
    assert used == {n for n, p in part.named_parameters() if p.requires_grad}
    assert all(p.requires_grad for p in whole.parameters())


def test_a_layer_behind_the_maps_of_a_detector_is_cut_like_the_others():
    base = PrunedArchitecture(config('resnet18'), HEAD, (3, 64, 64))
    small = base.after(Cut(channels={'network.layer4.0.conv1': range(5)}))
    assert small.build(out_indices=(1, 2)).network.layer4[0].conv1.out_channels == 5


def test_a_model_without_a_last_layer_is_refused():
    with pytest.raises(UserError, match="'squeezenet1_0' has no linear layer at its end"):
        build_backbone(config('squeezenet1_0', classifier_input=True))
