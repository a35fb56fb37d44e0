"""Coupled groups: all that must go together does, and what is left is a network."""

import warnings

import pytest
import torch
import torch_pruning as tp
from torch import nn

from rethink_det import UserError
from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon
from rethink_det.architecture.cost import count
from rethink_det.benchmark.backbone_table import HALVED
from rethink_det.pruning import build_pruner, prune_state

POOLED = dict(type='rethink_det.LinearHead', num_classes=4)


def timm(name: str, **settings) -> dict:
    return dict(type='rethink_det.TimmBackbone', model_name=name, **settings)


def torchvision(name: str) -> dict:
    return dict(type='rethink_det.TorchvisionBackbone', model_name=name)


def mmdet(name: str, **settings) -> dict:
    return dict(type=f'mmdet.{name}', **settings)


NARROW = dict(base_channels=16, stem_channels=16)
SMALL = dict(base_channels=8, stem_channels=8)
GN = dict(type='GN', num_groups=4)
QUICK = {
    'resnet18': (mmdet('ResNet', depth=18, **NARROW), 32),
    'resnext': (mmdet('ResNeXt', depth=50, groups=4, base_width=32, **SMALL), 32),
    'resnet-gn': (mmdet('ResNet', depth=18, norm_cfg=GN, **SMALL), 32),
    'regnety': (timm('regnety_002', out_indices=(1, 2)), 32),
    'mobilenetv2': (timm('mobilenetv2_035', out_indices=(1, 2)), 32),
    'mobilenetv3': (timm('mobilenetv3_small_050', out_indices=(1, 2)), 32),
    'efficientnet': (timm('efficientnet_b0', out_indices=(1, 2)), 32),
    'repvgg': (timm('repvgg_a0', out_indices=(0, 1)), 32),
    'densenet': (dict(type='rethink_det.DenseNet', depth=10, growth=4), 16),
    'convnext': (timm('convnext_atto', out_indices=(0, 1)), 32),
}
SLOW = {
    'resnet50': (mmdet('ResNet', depth=50), 64),
    'csp-darknet': (mmdet('CSPDarknet', deepen_factor=0.33, widen_factor=0.125), 64),
    'hrnet': (timm('hrnet_w18_small'), 64),
    'seresnet50': (timm('seresnet50'), 64),
    'efficientnetv2': (timm('efficientnetv2_s'), 64),
    'darknet53': (mmdet('Darknet', depth=53), 64),
    'densenet121': (timm('densenet121'), 64),
}
SWIN = dict(embed_dims=24, depths=(1, 1, 1, 1), num_heads=(1, 2, 2, 4), window_size=4)
PVT = dict(embed_dims=16, num_layers=[1, 1, 1, 1], num_heads=[1, 2, 2, 4])
DEFORMABLE = dict(dcn=dict(type='DCNv2', deform_groups=1), stage_with_dcn=(False, True, True, True))
FOLLOWED = {
    'deit': (timm('deit_tiny_patch16_224', img_size=32, patch_size=8, out_indices=(3, 11)), 32),
    'swin': (mmdet('SwinTransformer', **SWIN), 64),
    'pvt': (mmdet('PyramidVisionTransformer', pretrain_img_size=64, **PVT), 64),
    'shufflenet': (
        dict(type='rethink_det.TorchvisionBackbone', model_name='shufflenet_v2_x0_5'),
        32,
    ),
    'ghostnet': (timm('ghostnet_050', out_indices=(1, 2)), 32),
    'resnest': (mmdet('ResNeSt', depth=50, radix=2, reduction_factor=4, **SMALL), 32),
    'deformable': (mmdet('ResNet', depth=50, **DEFORMABLE, **SMALL), 32),
}
"""Torch-Pruning leaves nothing that runs, or much more."""
SPLITS = {'res2net': (mmdet('Res2Net', depth=50, scales=4, base_width=16, **SMALL), 32)}
NETWORKS = QUICK | SLOW | SPLITS | FOLLOWED
MIXING = ('resnet-gn', 'convnext', 'deit', 'swin', 'pvt')
"""A norm of several channels together: without some, it computes something else."""
UNLIKE = ('hrnet',)
"""Torch-Pruning leaves a network that cannot run."""


def kinds(*tables, but=()):
    names = [name for table in tables for name in table if name not in but]
    return [pytest.param(n, marks=pytest.mark.slow if n in SLOW else ()) for n in names]


@pytest.fixture(scope='module')
def parents():
    made = {}

    def make(name):
        if name not in made:
            backbone, size = NETWORKS[name]
            if 'Timm' in backbone['type']:
                pytest.importorskip('timm')
            architecture = PrunedArchitecture(backbone, POOLED, (3, size, size))
            torch.manual_seed(2)
            network = architecture.build_network().eval()
            for module in network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    nn.init.uniform_(module.weight, 0.5, 1.5)
                    nn.init.normal_(module.bias, 0, 0.2)
            made[name] = architecture, network.state_dict()
        architecture, state = made[name]
        return architecture, {key: tensor.clone() for key, tensor in state.items()}

    return make


def pruned(parents, name, **pruner):
    architecture, state = parents(name)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', UserWarning)
        options = dict(type='GroupNormPruner', ratios=0.5) | pruner
        return architecture, state, prune_state(state, options, architecture)


def shapes(state):
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


@pytest.mark.parametrize('name', kinds(QUICK, SLOW, but=UNLIKE))
def test_it_is_the_network_that_torch_pruning_leaves(parents, name):
    architecture, state, result = pruned(parents, name)
    theirs = architecture.network_with(state)
    scores = [m for m in theirs.head.modules() if isinstance(m, nn.Linear)][-1]
    pruner = tp.pruner.BasePruner(
        theirs,
        torch.randn(1, *architecture.input_shape),
        tp.importance.GroupMagnitudeImportance(p=2),
        pruning_ratio=0.5,
        ignored_layers=[scores],
        in_channel_groups={},
        out_channel_groups={},
    )
    pruner.step()
    assert shapes(result.state_dict) == shapes(theirs.state_dict())
    for tensor, other in zip(result.state_dict.values(), theirs.state_dict().values(), strict=True):
        assert torch.equal(tensor, other)


@pytest.mark.parametrize('name', kinds(QUICK, SPLITS, FOLLOWED, SLOW))
def test_half_of_everything_leaves_a_quarter_that_can_be_written_read_and_drawn(parents, name):
    architecture, state, result = pruned(parents, name)
    found = result.architecture
    whole, left = (a.cost().macs for a in (architecture, found))
    assert left < (HALVED if name != 'deformable' else 0.45) * whole  # offsets keep their number
    assert PrunedArchitecture.from_dict(found.to_dict()) == found and found.coupled
    for tensor, other in zip(
        found.inherit(state).values(), result.state_dict.values(), strict=True
    ):
        assert torch.equal(tensor, other)
    fresh = found.shape().build_network()
    assert shapes(fresh.state_dict()) == shapes(result.state_dict)
    assert count(fresh, architecture.input_shape).macs == left
    assert not any(isinstance(kept, tuple) for kept in found.shape().channels.values())


@pytest.mark.parametrize('name', kinds(QUICK, SPLITS, FOLLOWED, SLOW, but=MIXING))
def test_the_cut_network_is_the_zeroed_network(parents, name):
    architecture, state, result = pruned(parents, name, type='RandomPruner', groups='coupled')
    zeroed = architecture.network_with(state)
    cut = Cut(channels=result.architecture.channels, coupled=True)
    cut.zero(Surgeon(zeroed, architecture.input_shape, 'backbone.'))
    images = torch.randn(2, *architecture.input_shape)
    small = result.architecture.network_with(result.state_dict)
    with torch.no_grad():
        expected = zeroed.eval()(images)
        assert (small.eval()(images) - expected).abs().max() <= 1e-5 * max(1, expected.abs().max())


@pytest.fixture(scope='module')
def whole():
    return PrunedArchitecture(mmdet('ResNet', depth=18, **SMALL), POOLED, (3, 32, 32))


@pytest.fixture(scope='module')
def surgeon(whole):
    return Surgeon(whole.build_network(), whole.input_shape, 'backbone.')


def test_one_ranking_takes_as_much_and_leaves_every_layer_some(whole):
    state = whole.build_network().state_dict()
    options = dict(type='GroupNormPruner', ratios=0.5, scope='global', min_channels=2)
    found = prune_state(state, options, whole).architecture
    kept = {name: found.kept(name) for name in whole.widths}
    assert min(kept.values()) >= 2
    shares = {kept[name] / width for name, width in whole.widths.items()}
    assert len(shares) > 1


def test_a_group_is_meant_by_the_name_of_any_of_its_layers(whole):
    state = whole.build_network().state_dict()
    options = dict(type='L1NormPruner', groups='coupled', ratios={'layer1.1.conv2': 0.5})
    found = prune_state(state, options, whole).architecture
    assert set(found.channels) == {'conv1', 'layer1.0.conv2', 'layer1.1.conv2'}
    assert len({kept for kept in found.channels.values()}) == 1


def test_a_control_meets_a_coupled_target(whole):
    state = whole.build_network().state_dict()
    target = prune_state(state, dict(type='GroupNormPruner', ratios=0.5), whole).architecture
    control = prune_state(state, dict(type='RandomPruner', target=target), whole).architecture
    assert control.shape() == target.shape() and control != target


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(groups='tied'), 'groups must be one of'),
        (dict(groups='coupled', scope='all'), 'scope must be one of'),
        (dict(scope='global'), "scope='global' needs groups='coupled'"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        build_pruner(dict(type='L1NormPruner', ratios=0.5, **options))


def test_a_group_norm_of_free_channels_is_refused():
    with pytest.raises(UserError, match='scores coupled groups'):
        build_pruner(dict(type='GroupNormPruner', ratios=0.5, groups='free'))


@pytest.mark.parametrize(
    'ratios, message',
    [
        ({'nothing.*': 0.5}, "'nothing.*' matches no prunable layer"),
        ({'conv1': 0.5, '*': 0.2}, 'give one ratio for all'),
    ],
)
def test_ratios_that_mean_nothing_are_refused(whole, ratios, message):
    options = dict(type='GroupNormPruner', ratios=ratios, scope='global')
    with pytest.raises(UserError, match=message):
        prune_state(whole.build_network().state_dict(), options, whole)


@pytest.mark.parametrize(
    'keep, message',
    [
        ({'conv1': (0, 1), 'layer1.0.conv2': (0, 2)}, 'would keep other channels than the layers'),
        ({'conv1': 3, 'layer1.0.conv2': 4}, 'cannot keep such numbers of channels'),
        ({'conv9': 3}, "has no layer 'conv9'"),
        ({'conv1': 9}, 'conv1 would keep 9 channels; valid are 1 to 8'),
        ({'conv1': (7, 8)}, 'conv1 would keep channel 8'),
    ],
)
def test_what_does_not_go_together_is_refused(surgeon, keep, message):
    with pytest.raises(UserError, match=message):
        Cut(channels=keep, coupled=True).apply(surgeon)


def test_what_leaves_uneven_slices_is_refused():
    backbone = mmdet('ResNeXt', depth=50, groups=4, base_width=32, **SMALL)
    whole = PrunedArchitecture(backbone, POOLED, (3, 32, 32))
    cut = Cut(channels={'layer1.0.conv2': (0, 1, 2)}, coupled=True)
    with pytest.raises(UserError, match='layer1.0.conv2 works on 4 equal slices'):
        cut.apply(Surgeon(whole.skeleton(), whole.input_shape, 'backbone.'))


def test_coupled_is_true_or_false(whole):
    with pytest.raises(UserError, match='coupled must be true or false'):
        PrunedArchitecture.from_dict({**whole.to_dict(), 'coupled': 1})


def test_what_would_not_run_is_refused_by_name(parents):
    with pytest.raises(UserError, match=r'cannot run: backbone.layer\d.0.convs.0 fails'):
        pruned(parents, 'res2net', type='RandomPruner', ratios=0.3)
