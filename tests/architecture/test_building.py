"""Building: the plain base class, narrower, with weights drawn for its own widths."""

from math import sqrt

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture, pruned_backbone
from rethink_det.architecture.building import network_with
from rethink_det.architecture.network import build_backbone
from rethink_det.pruning import prune_state

HEAD = dict(type='rethink_det.LinearHead', num_classes=5)
RESNET18 = dict(type='mmdet.ResNet', depth=18, base_channels=16)


def resnet18(**channels) -> PrunedArchitecture:
    named = {name.replace('_', '.'): kept for name, kept in channels.items()}
    return PrunedArchitecture(RESNET18, HEAD, (3, 32, 32), named)


def frozen(model) -> set[str]:
    return {name for name, parameter in model.named_parameters() if not parameter.requires_grad}


@given(
    st.fixed_dictionaries(
        {}, optional={f'layer{i}.{j}.conv1': st.integers(1, 16) for i in (1, 2) for j in (0, 1)}
    )
)
def test_a_built_network_has_the_widths_asked_for(channels):
    architecture = PrunedArchitecture(RESNET18, HEAD, (3, 32, 32), channels)
    backbone = architecture.build()
    assert backbone.architecture == architecture
    for layer in architecture.widths:
        assert backbone.get_submodule(layer).out_channels == architecture.kept(layer)
    state = architecture.build_network().state_dict()
    assert state['head.fc.weight'].shape == (5, 128)
    assert {n for n in state if n.startswith('backbone.')} == {
        f'backbone.{n}' for n in build_backbone(RESNET18).state_dict()
    }


def test_a_coupled_stage_narrows_the_head():
    network = resnet18(layer4_0_conv2=50).build_network()
    assert network.head.fc.in_features == 50
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 5)


def test_nothing_cut_is_the_plain_base_class():
    built, plain = resnet18().build(), build_backbone(RESNET18)
    assert type(built) is type(plain)
    assert list(built.state_dict()) == list(plain.state_dict())
    assert [p.shape for p in built.parameters()] == [p.shape for p in plain.parameters()]
    assert isinstance(pruned_backbone(resnet18()), type(plain))


def test_without_memory_for_weights_the_shapes_are_the_same():
    with torch.device('meta'):
        bare = resnet18(layer1_0_conv1=5, layer2_0_conv2=20).build()
    assert all(tensor.is_meta for tensor in bare.state_dict().values())
    whole = resnet18(layer1_0_conv1=5, layer2_0_conv2=20).build()
    shapes = [{n: t.shape for n, t in m.state_dict().items()} for m in (bare, whole)]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    'backbone, layer, kept, consumer',
    [
        (dict(type='mmdet.ResNet', depth=18), 'layer3.1.conv1', 64, 'layer3.1.conv2'),
        (dict(type='rethink_det.CifarResNet', depth=8), 'layer3.0.conv1', 100, 'layer3.0.conv2'),
    ],
    ids=['mmdet.ResNet', 'CifarResNet'],
)
def test_weights_are_drawn_for_the_small_layer(backbone, layer, kept, consumer):
    torch.manual_seed(0)
    backbone['base_channels'] = 64
    built = PrunedArchitecture(backbone, HEAD, (3, 32, 32), {layer: kept}).build()
    small, next_one = (built.get_submodule(name).weight for name in (layer, consumer))
    assert small.shape[0] == kept == next_one.shape[1]
    assert min(small.numel(), next_one.numel()) > 10_000
    # Kaiming by fan-out: variance 2 / (kernel area * output channels), the kept ones.
    assert small.std().item() == pytest.approx(sqrt(2 / (9 * kept)), rel=0.05)
    assert next_one.std().item() == pytest.approx(sqrt(2 / (9 * next_one.shape[0])), rel=0.05)
    assert abs(small.mean().item()) < 0.05 * small.std().item()


def test_every_build_draws_anew_and_a_seed_repeats_it():
    def weight(seed):
        torch.manual_seed(seed)
        return resnet18(layer1_0_conv1=5).build().layer1[0].conv1.weight

    assert torch.equal(weight(0), weight(0))
    assert not torch.equal(weight(0), weight(1))


@pytest.mark.parametrize('stages', [0, 1, 4])
def test_frozen_stages_stay_frozen_after_surgery(stages):
    cuts = dict(layer1_0_conv1=5, layer1_0_conv2=9, layer4_1_conv1=3)
    backbone = resnet18(**cuts).build(frozen_stages=stages, norm_eval=True)
    expected = frozen(build_backbone({**RESNET18, 'frozen_stages': stages}))
    assert expected and frozen(backbone) == expected
    backbone.train()
    norms = [m for m in backbone.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert not any(norm.training for norm in norms)
    if stages < 4:
        sum(feature.sum() for feature in backbone(torch.randn(2, 3, 32, 32))).backward()
        without = {n for n, p in backbone.named_parameters() if p.grad is None}
        assert without == expected
    assert frozen(backbone) == expected


def test_training_settings_reach_the_backbone_only():
    backbone = pruned_backbone(resnet18().to_dict(), out_indices=(1, 3), init_cfg=None)
    assert len(backbone(torch.zeros(2, 3, 32, 32))) == 2
    assert backbone.architecture == resnet18()


def test_building_for_cost_leaves_no_trace_in_the_value():
    architecture = resnet18(layer1_0_conv1=5)
    before = architecture.digest
    architecture.cost()
    assert architecture.digest == before and architecture.cost() == architecture.cost()


def test_what_cannot_be_built_is_refused():
    with pytest.raises(UserError, match='NoSuchNet'):
        build_backbone(dict(type='rethink_det.NoSuchNet'))
    with pytest.raises(UserError, match="needs a 'type'"):
        build_backbone(dict(depth=18))
    with pytest.raises(UserError, match='depth'):
        build_backbone(dict(type='mmdet.ResNet', depth=19))
    with pytest.raises(UserError, match='no_such_setting'):
        resnet18().build(no_such_setting=1)
    with pytest.raises(UserError, match='layer1.0.conv2 .*same channels'):
        resnet18(layer1_0_conv2=3, layer1_1_conv2=4).build()
    with pytest.raises(UserError, match='No architecture'):
        pruned_backbone('resnet18-z')


def test_a_network_that_cannot_see_its_input_is_refused():
    with pytest.raises(UserError, match=r'\(1, 32, 32\)'):
        PrunedArchitecture(RESNET18, HEAD, (1, 32, 32)).build_network()
    with pytest.raises(UserError, match='NoSuchHead'):
        PrunedArchitecture(
            RESNET18, dict(type='rethink_det.NoSuchHead'), (3, 32, 32)
        ).build_network()


def test_a_residual_stream_through_a_free_shortcut_is_refused(cifar):
    with pytest.raises(UserError, match='layer2.0.conv2 cannot be pruned'):
        cifar(channels={'layer2.0.conv2': 5}).build()


@pytest.mark.parametrize('name', ['resnet34-a', 'resnet56-a', 'vgg16-5x', 'resnet50-thinet-30'])
def test_a_network_that_is_asked_to_train_trains(name):
    architecture = PrunedArchitecture.load(name)
    network = architecture.build_network()
    for mode in (True, False, True):
        network.train(mode)
        assert {module.training for module in network.modules()} == {mode}


def test_a_network_with_given_weights_trains():
    architecture = resnet18(layer1_0_conv1=5)
    fresh = architecture.build_network()
    given = network_with(architecture, fresh.state_dict()).train()
    assert all(module.training for module in given.modules())
    images = torch.randn(2, *architecture.input_shape)
    before = {name: value.clone() for name, value in given.named_buffers()}
    given(images)
    assert any(not torch.equal(before[name], value) for name, value in given.named_buffers())


def test_a_detectors_backbone_keeps_mmdets_default():
    assert PrunedArchitecture.load('resnet34-a').build().norm_eval
    assert not PrunedArchitecture.load('resnet34-a').build(norm_eval=False).norm_eval


@torch.no_grad()
def test_indices_that_no_weights_bring_along_have_their_values():
    timm = pytest.importorskip('timm')
    backbone = dict(type='rethink_det.TimmBackbone', model_name='levit_128s', classifier_input=True)
    architecture = PrunedArchitecture(
        backbone, dict(type='rethink_det.LinearHead', num_classes=3), (3, 224, 224)
    )
    torch.manual_seed(0)
    network = architecture.build_network().eval()
    again = architecture.network_with(network.state_dict()).eval()
    buffers = dict(timm.create_model('levit_128s').named_buffers())
    beside = set(buffers) - set(timm.create_model('levit_128s').state_dict())
    assert beside and all(
        torch.equal(again.backbone.network.get_buffer(name), buffers[name]) for name in beside
    )
    images = torch.randn(1, 3, 224, 224)
    assert torch.equal(again(images), network(images))


def test_deformable_convolutions_that_an_architecture_has_are_put_in_once():
    dcn = dict(dcn=dict(type='DCNv2', deform_groups=1), stage_with_dcn=(False, True, True, True))
    base = dict(type='mmdet.ResNet', depth=50, base_channels=8, stem_channels=8, **dcn)
    head = dict(type='rethink_det.LinearHead', num_classes=2)
    whole = PrunedArchitecture(base, head, (3, 32, 32))
    state = whole.build_network().state_dict()
    options = dict(type='GroupNormPruner', ratios=0.5, skip=['*.conv_offset'])
    shape = prune_state(state, options, whole).architecture.shape()
    plain, told = shape.build(), shape.build(**dcn)
    shapes = [{n: t.shape for n, t in one.state_dict().items()} for one in (plain, told)]
    assert shapes[0] == shapes[1]
    told.eval()
    with torch.no_grad():
        assert len(told(torch.zeros(1, 3, 32, 32))) == 4
