"""The importances: each against its formula, and what the pruner needs, refuses and leaves."""

import pytest
import torch
from torch.nn import functional as F

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture, Surgeon
from rethink_det.architecture.checkpoint import digest
from rethink_det.pruning import ImportancePruner, L1NormPruner, prune
from rethink_det.pruning.importance import IMPORTANCES

LAYER = 'layer2.0.conv1'
LABELLED = ('taylor', 'hessian')
SEEING = (*LABELLED, 'activation', 'apoz')
NORMLESS = [name for name in IMPORTANCES if name != 'bn_scale']


class Watched(ImportancePruner):
    """Remembers its scores."""

    def __init__(self, *args, ratios=0.5, **kwargs):
        super().__init__(*args, ratios=ratios, **kwargs)
        self.scores = {}

    def score(self, layer, conv):
        self.scores[layer] = super().score(layer, conv)
        return self.scores[layer]


@pytest.fixture(scope='module')
def base(cifar):
    return cifar(base_channels=8)


@pytest.fixture
def network(base, unsettle):
    torch.manual_seed(0)
    return unsettle(base.build_network()).eval()


@pytest.fixture(scope='module')
def images():
    return torch.randn(5, 3, 16, 16, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope='module')
def labels():
    return torch.tensor([0, 1, 2, 2, 0])


@pytest.fixture(scope='module')
def data(images, labels):
    return [(images[:3], labels[:3]), (images[3:], labels[3:])]


@pytest.fixture(scope='module')
def vgg():
    """Convolutions without BatchNorm, a flattened map, and hidden linear units."""
    return PrunedArchitecture(
        dict(type='rethink_det.VGG', depth=11, base_channels=4, norm=False, last_pool=False),
        dict(type='rethink_det.MLPHead', num_classes=3, hidden=(12,), pool=2),
        (3, 32, 32),
    )


@pytest.fixture(scope='module')
def architectures(base, vgg):
    resnet = dict(type='mmdet.ResNet', depth=18, base_channels=8)
    return {'cifar': base, 'mmdet': PrunedArchitecture(resnet, base.head, (3, 16, 16)), 'vgg': vgg}


def scores_of(name, network, base, data=None, layer=LAYER, **options):
    pruner = Watched(name, **options)
    prune(network, pruner, base, data)
    return pruner.scores[layer]


def seen_by(network, layer, images):
    """What ``layer`` of the network reads."""
    inputs = []
    with torch.no_grad():
        handle = network.get_submodule(layer).register_forward_pre_hook(
            lambda _, args: inputs.append(args[0])
        )
        network(images)
        handle.remove()
    return inputs[0]


def parts(network):
    """The pruned layer's weight, its BatchNorm's scale, and the weight of its one consumer."""
    block = network.backbone.layer2[0]
    return block.conv1.weight.detach(), block.bn1.weight.detach(), block.conv2.weight.detach()


# -- the formulas --------------------------------------------------------------------------


def test_l1_and_l2_are_norms_of_the_filter(network, base):
    weight, _, _ = parts(network)
    one, two = (scores_of(name, network, base) for name in ('l1', 'l2'))
    assert torch.allclose(one, weight.abs().sum((1, 2, 3)))
    assert torch.allclose(two, weight.square().sum((1, 2, 3)))


def test_l1_chooses_what_the_l1_norm_pruner_does(network, base):
    ours = prune(network, ImportancePruner('l1', ratios=0.4), base)
    assert ours.architecture == prune(network, L1NormPruner(ratios=0.4), base).architecture


@pytest.mark.parametrize('reduction, reduce', [('sum', torch.sum), ('mean', torch.mean)])
def test_a_group_is_the_filter_its_batchnorm_and_its_reader(network, base, reduction, reduce):
    weight, scale, consumer = parts(network)
    norms = [weight.abs().sum((1, 2, 3)), scale.abs(), consumer.abs().sum((0, 2, 3))]
    scores = scores_of('l1', network, base, group_reduction=reduction)
    assert torch.allclose(scores, reduce(torch.stack(norms), dim=0))


def test_lamp_ranks_filters_as_l2_does(network, base):
    lamp, squares = (scores_of(name, network, base) for name in ('lamp', 'l2'))
    expected = torch.stack([s / squares[squares >= s].sum() for s in squares])
    assert torch.allclose(lamp, expected)


def test_fpgm_drops_the_filter_nearest_the_others_not_the_smallest(network, base):
    weight = network.backbone.layer2[0].conv1.weight
    with torch.no_grad():
        places = torch.tensor([-9, -5, -2, 0.5, -1, 3, 6, 8, -11, 10, -12, 12, -13, 13, -14, 14])
        weight.copy_(places.view(-1, 1, 1, 1).expand_as(weight))
        scores = scores_of('fpgm', network, base)
        pairs = (weight[:, None] - weight[None]).flatten(2).norm(dim=2)
    assert torch.allclose(scores, pairs.sum(1))
    assert scores.argmin() in (3, 4), 'a middle place between -1 and 0.5'
    with torch.no_grad():
        weight += 20  # the median filter is the same; now -14 is the smallest
    assert torch.allclose(scores_of('fpgm', network, base), scores, atol=1e-3)


def test_fpgm_tells_a_filter_from_its_negative(network, base):
    weight = network.backbone.layer2[0].conv1.weight
    with torch.no_grad():
        weight.copy_(torch.linspace(-1, 1, 17)[:16].view(-1, 1, 1, 1).expand_as(weight))
    assert scores_of('fpgm', network, base).argmin() in (7, 8), 'the filters around 0'


def test_bn_scale_is_the_size_of_the_factor(network, base):
    _, scale, _ = parts(network)
    assert torch.allclose(scores_of('bn_scale', network, base), scale.abs())


def products(network, images, labels):
    """Weight times gradient of the loss, of the pruned layer."""
    weight = network.backbone.layer2[0].conv1.weight
    loss = F.cross_entropy(network(images), labels)
    return (weight * torch.autograd.grad(loss, weight)[0]).detach().flatten(1)


def test_taylor_is_weight_times_gradient(network, base, images, labels, data):
    expected = products(network, images, labels)
    assert torch.allclose(scores_of('taylor', network, base, data), expected.abs().sum(1))
    joint = scores_of('taylor', network, base, data, multivariable=True)
    assert torch.allclose(joint, expected.sum(1).abs(), atol=1e-7)


def test_taylor_needs_no_trainable_layers(network, base, data):
    free = scores_of('taylor', network, base, data)
    network.requires_grad_(False)
    assert torch.equal(scores_of('taylor', network, base, data), free)


def test_hessian_is_the_squared_weight_times_the_mean_squared_gradient(
    network, base, images, labels, data
):
    singles = [products(network, images[i : i + 1], labels[i : i + 1]) for i in range(5)]
    expected = torch.stack(singles).square().mean(0).sum(1)
    assert torch.allclose(scores_of('hessian', network, base, data), expected)


def test_activations_are_those_that_the_reader_gets(network, base, images, data):
    inputs = seen_by(network, 'backbone.layer2.0.conv2', images)
    size, share = inputs.abs().mean((0, 2, 3)), inputs.ne(0).float().mean((0, 2, 3))
    assert torch.allclose(scores_of('activation', network, base, data), size)
    assert torch.allclose(scores_of('apoz', network, base, data), share)


def test_activations_of_a_flattened_map_add_up(vgg):
    torch.manual_seed(0)
    network, images = vgg.build_network().eval(), torch.randn(4, 3, 32, 32)
    last = [layer for layer in vgg.widths if layer.startswith('features')][-1]
    inputs = seen_by(network, 'head.classifier.0', images).view(4, -1, 4)
    scores = scores_of('apoz', network, vgg, [images], last)
    assert torch.allclose(scores, inputs.ne(0).float().mean(0).sum(1))


def test_a_channel_that_is_always_zero_goes_first(network, base, data):
    norm = network.backbone.layer2[0].bn1
    with torch.no_grad():
        norm.bias.abs_().add_(1), norm.weight.abs_()
        norm.weight[5], norm.bias[5] = 0, -1
    for name in ('apoz', 'activation', 'bn_scale', 'taylor', 'hessian'):
        scores = scores_of(name, network, base, data)
        assert scores[5] == 0 and scores.argmin() == 5, name


@pytest.mark.parametrize('name', SEEING)
def test_only_the_first_images_are_looked_at(network, base, images, labels, name):
    data = [(images[:3], labels[:3]), (images[3:], labels[3:])]
    few = scores_of(name, network, base, data, images=4)
    assert torch.allclose(few, scores_of(name, network, base, [(images[:4], labels[:4])]))
    assert not torch.allclose(few, scores_of(name, network, base, data))


def test_batches_of_a_dataloader_are_read_too(network, base, images, labels, data):
    packed = [dict(inputs=images, gt_label=labels)]
    one, other = (scores_of('taylor', network, base, batches) for batches in (packed, data))
    assert torch.allclose(one, other)


# -- what comes out ------------------------------------------------------------------------


@pytest.mark.parametrize(
    'kind, name',
    [(k, n) for k in ('cifar', 'mmdet') for n in IMPORTANCES] + [('vgg', n) for n in NORMLESS],
)
def test_the_cut_network_computes_what_the_zeroed_one_does(architectures, unsettle, kind, name):
    base = architectures[kind]
    torch.manual_seed(0)
    parent = unsettle(base.build_network())
    images = torch.randn(4, *base.input_shape)
    pruner = dict(type='ImportancePruner', importance=name, ratios=0.5)
    result = prune(parent, pruner, base, [(images, torch.tensor([0, 1, 2, 0]))])
    small = result.architecture.build_network()
    small.load_state_dict(result.state_dict, strict=True)
    assert result.architecture.channels
    Surgeon(parent, base.input_shape, 'backbone.').zero(result.architecture.channels)
    with torch.no_grad():
        difference = parent.eval()(images) - small.eval()(images)
    assert difference.abs().max() <= 1e-5


@pytest.mark.parametrize('name', NORMLESS)
def test_hidden_linear_units_have_importance_too(vgg, name):
    torch.manual_seed(0)
    network, images = vgg.build_network(), torch.randn(4, 3, 32, 32)
    target = {**vgg.to_dict(), 'channels': {'head.classifier.0': 7}}
    pruner = ImportancePruner(name, target=target)
    result = prune(network, pruner, vgg, [(images, torch.tensor([0, 1, 2, 0]))])
    assert len(result.architecture.channels['head.classifier.0']) == 7


def test_layers_of_one_stream_agree_on_the_sum_of_their_scores(architectures):
    torch.manual_seed(0)
    base = architectures['mmdet']
    stream = ['layer2.0.conv2', 'layer2.0.downsample.0', 'layer2.1.conv2']
    network = base.build_network()
    target = {**base.to_dict(), 'channels': dict.fromkeys(stream, 9)}
    with pytest.raises(UserError, match='must keep the same channels'):
        prune(network, ImportancePruner(target=target), base)
    together = ImportancePruner('l2', target=target, group_reduction='sum')
    channels = prune(network, together, base).architecture.channels
    assert len({channels[layer] for layer in stream}) == 1


@pytest.mark.parametrize('name', IMPORTANCES)
def test_the_model_stays_as_it_was(base, network, data, name):
    network.train()
    network.backbone.conv1.weight.requires_grad_(False)
    network.backbone.conv1.weight.grad = torch.ones_like(network.backbone.conv1.weight)

    def state():
        return (
            digest(network.state_dict()),
            [m.training for m in network.modules()],
            [(p.requires_grad, None if p.grad is None else p.grad.sum().item())
             for p in network.parameters()],
            [sorted(vars(m)) for m in network.modules()],
            [len(m._forward_hooks) for m in network.modules()],
        )  # fmt: skip

    before = state()
    pruner = Watched(name)
    prune(network, pruner, base, data)
    assert state() == before
    # Also when the pruner is given a network of its own and fails halfway.
    surgeon = Surgeon(network, base.input_shape, 'backbone.')
    pruner.find(surgeon, base, data)
    assert state() == before
    if name in SEEING:
        with pytest.raises(UserError, match='no batch|must be'):
            pruner.find(surgeon, base, [data[0], 'no batch'])
        assert state() == before


# -- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(importance='l3'), "No importance 'l3'; known are l1, l2, fpgm"),
        (dict(importance='l2', p=3), r"'l2'\) has no option 'p'; it has group_reduction"),
        (dict(ratios=None, ratio=0.5), "has no option 'ratio'; it has group_reduction"),
        (dict(importance='fpgm', group_reduction='sum'), "no option 'group_reduction'.* none"),
        (dict(importance='l1', multivariable=True), "no option 'multivariable'"),
        (dict(group_reduction='median'), "one of .*'first'.*, got 'median'"),
        (dict(group_reduction=None), 'group_reduction must be'),
        (dict(importance='taylor', images=0), 'positive number of images, got 0'),
        (dict(importance='taylor', images='all'), "positive number of images, got 'all'"),
        (dict(ratios=None), 'needs either ratios or a target'),
        (dict(ratios={'layer9.*': 0.5}), 'matches no prunable layer'),
    ],
)
def test_a_pruner_that_cannot_be_is_refused(base, network, settings, message):
    with pytest.raises(UserError, match=message):
        prune(network, dict(type='ImportancePruner', ratios=0.5) | settings, base)


@pytest.mark.parametrize('name', SEEING)
@pytest.mark.parametrize('data', [None, []])
def test_data_is_asked_for(base, network, name, data):
    with pytest.raises(UserError, match=rf"Pruner\('{name}'\) looks at images"):
        prune(network, ImportancePruner(name, ratios=0.5), base, data)


@pytest.mark.parametrize('name', LABELLED)
@pytest.mark.parametrize(
    'labels, message',
    [
        (None, 'needs labels'),
        (torch.tensor([0, 1, 2, 3, 0]), 'go from 0 to 2, got 3'),
        (torch.tensor([0, 1, 2, -1, 0]), 'go from 0 to 2, got -1'),
        (torch.zeros(5), r'integers, got a torch.float32 tensor'),
        (torch.zeros(5, 3).long(), 'Labels must be'),
    ],
)
def test_labels_that_give_no_loss_are_refused(base, network, images, name, labels, message):
    batch = images if labels is None else (images, labels)
    with pytest.raises(UserError, match=message):
        prune(network, ImportancePruner(name, ratios=0.5), base, [batch])


def test_bn_scale_names_the_layer_without_batchnorm(vgg):
    with pytest.raises(
        UserError, match=r"'bn_scale'\) has no score for layer features\.0: .*Batch"
    ):
        prune(vgg.build_network(), ImportancePruner('bn_scale', ratios=0.5), vgg)


def test_scores_that_are_no_numbers_are_refused(base, network, images):
    data = [torch.full_like(images, float('nan'))]
    with pytest.raises(UserError, match='scores of layer .* are not finite'):
        prune(network, ImportancePruner('activation', ratios=0.5), base, data)


def test_a_list_is_no_importance():
    with pytest.raises(UserError, match=r"No importance \['l1', 'l2'\]; known are l1, l2, fpgm"):
        ImportancePruner(['l1', 'l2'], ratios=0.5)


@pytest.mark.parametrize('images', [0, 1.5, True, 'all'])
def test_images_that_are_no_count_are_refused(images):
    with pytest.raises(UserError, match=f'positive number of images, got {images!r}'):
        ImportancePruner('apoz', images=images, ratios=0.5)
