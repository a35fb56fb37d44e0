"""What holds for every pruner on every backbone."""

import re
import warnings

import pytest
import torch
import torch.nn.functional as F

from rethink_det import UserError
from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon, weight_masks
from rethink_det.architecture.blocks import last_layer, residual_blocks
from rethink_det.architecture.checkpoint import digest, load_checkpoint, save_checkpoint
from rethink_det.architecture.network import build_backbone
from rethink_det.pruning import build_pruner, prune_state
from rethink_det.registry import PRUNERS

NETWORKS = (
    'vgg', 'vgg-flat', 'vgg-plain', 'cifar-resnet', 'preresnet', 'densenet', 'densenet-bc',
    'preact', 'resnet18', 'resnet50', 'resnext50', 'mobilenetv2',
)  # fmt: skip
METHODS = {
    'GroupNormPruner': dict(ratios=0.4),
    'L1NormPruner': dict(ratios=0.4),
    'RandomPruner': dict(ratios=0.4),
    'ImportancePruner': dict(ratios=0.4, importance='taylor'),
    'ThiNetPruner': dict(ratios=0.4, images=8),
    'RegressionPruner': dict(ratios=0.4, images=8),
    'NetworkSlimmingPruner': dict(ratio=0.4, heads=True),
    'SparseStructurePruner': dict(),
    'SoftFilterPruner': dict(keep=0.7),
    'MagnitudePruner': dict(ratio=0.5),
}
NEEDS_NORM = ('NetworkSlimmingPruner',)
NEEDS_BLOCKS = ('SparseStructurePruner',)
REWEIGHTS = ('ThiNetPruner', 'RegressionPruner')


# Those that take seconds, by test; one method is always tried on every network.
SLOW_TO_CUT = r'vgg-(flat|plain)|mobilenet|resn\w+50'
SLOW_TO_TRAIN = f'{SLOW_TO_CUT}|preact|-vgg'


def cases(slow):
    for network in NETWORKS:
        for method in METHODS:
            if network == 'vgg-plain' and method in NEEDS_NORM:
                continue
            name = f'{method}-{network}'
            takes_long = re.search(slow, name) and method != 'L1NormPruner'
            marks = [pytest.mark.slow] if takes_long or name == 'RegressionPruner-vgg' else []
            yield pytest.param(network, method, id=name, marks=marks)


def test_no_method_is_forgotten():
    assert set(METHODS) == set(PRUNERS.module_dict)


def loader(shape, batches=2):
    generator = torch.Generator().manual_seed(0)
    for _ in range(batches):
        yield torch.randn(4, *shape, generator=generator), torch.tensor([0, 1, 2, 3])


def empty_every_second_block(architecture, state):
    """What training with scaling factors leaves: residual branches at zero."""
    network = architecture.network_with(state)
    for block in list(residual_blocks(network).values())[::2]:
        for parameter in last_layer(block).parameters():
            parameter.data.zero_()
    return network.state_dict()


def pruned(parents, network, method):
    architecture, state = parents(network)
    if method in NEEDS_BLOCKS:
        state = empty_every_second_block(architecture, state)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', UserWarning)
        pruner = dict(type=method, **METHODS[method])
        result = prune_state(state, pruner, architecture, loader(architecture.input_shape))
    return architecture, state, result


@pytest.mark.parametrize('network, method', cases(SLOW_TO_CUT))
def test_the_cut_model_is_the_zeroed_model(parents, network, method, tmp_path):
    architecture, state, result = pruned(parents, network, method)
    found = result.architecture
    assert PrunedArchitecture.from_dict(found.to_dict()) == found

    small = found.build_network()
    small.load_state_dict(result.state_dict, strict=True)
    images = torch.randn(2, *architecture.input_shape)
    if method not in REWEIGHTS:
        full = architecture.network_with(state)
        cut = Cut(found.channels, found.selections, found.removed_blocks, coupled=found.coupled)
        cut.zero(Surgeon(full, architecture.input_shape, 'backbone.'))
        if result.masks and not found.channels:
            weight_masks.apply(full, result.masks)
        if not (result.masks and found.channels):  # masks fit the cut shapes only
            with torch.no_grad():
                difference = full.eval()(images) - small.eval()(images)
            assert difference.abs().max() <= 1e-5
    if method not in (*REWEIGHTS, 'SoftFilterPruner'):
        assert digest(found.inherit(state, result.masks)) == digest(result.state_dict)
    something = found.channels or found.selections or found.removed_blocks or found.masks
    blockless = method in NEEDS_BLOCKS and not residual_blocks(small)
    assert bool(something) != blockless
    assert (found.cost().params < architecture.cost().params) == bool(something)


@pytest.mark.parametrize('network, method', cases(SLOW_TO_TRAIN))
def test_the_architecture_trains_and_is_a_backbone(parents, network, method, tmp_path):
    architecture, _, result = pruned(parents, network, method)
    model = result.architecture.build_network().train()
    loss = F.cross_entropy(model(torch.randn(4, *architecture.input_shape)), torch.arange(4))
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())

    file = tmp_path / 'pruned.pth'
    meta = {'architecture': result.architecture.to_dict()}
    save_checkpoint({'meta': meta, 'state_dict': result.state_dict}, file)
    assert load_checkpoint(file)['meta']['architecture'] == result.architecture.to_dict()
    backbone = build_backbone(dict(type='rethink_det.PrunedBackbone', architecture=str(file)))
    features = backbone(torch.randn(1, *architecture.input_shape))
    assert len(features) > 1 and all(feature.isfinite().all() for feature in features)


@pytest.mark.parametrize('method', METHODS)
def test_weights_that_are_no_numbers_are_refused(parents, method):
    architecture, state = parents('cifar-resnet')
    state['backbone.layer2.0.conv1.weight'][0, 0, 0, 0] = float('nan')
    with pytest.raises(UserError, match='layer2.0.conv1 has weights that are not finite'):
        prune_state(state, dict(type=method, **METHODS[method]), architecture, loader((3, 16, 16)))


@pytest.mark.parametrize('method', [*REWEIGHTS, 'ImportancePruner'])
@pytest.mark.parametrize(
    'data, message',
    [
        (None, 'looks at images: pass data'),
        ([], 'yields no batch'),
        ([{'inputs': None}], 'a batch must be'),
        ([torch.zeros(2, 3, 16, 16, dtype=torch.uint8)], 'uint8 tensor of shape'),
    ],
)
def test_a_loader_without_images_is_refused(parents, method, data, message):
    architecture, state = parents('cifar-resnet')
    with pytest.raises(UserError, match=message):
        prune_state(state, dict(type=method, **METHODS[method]), architecture, data)


@pytest.mark.parametrize('method', METHODS)
def test_a_wrong_argument_is_refused(method):
    with pytest.raises(UserError, match=method):
        build_pruner(dict(type=method, nonsense=1, **METHODS[method]))
