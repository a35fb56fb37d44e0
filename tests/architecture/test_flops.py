"""FLOPs as the code of arXiv 1810.05270 counts them: its numbers, and what they are made of."""

import pytest

from rethink_det import UserError
from rethink_det.architecture import Cut, PrunedArchitecture
from rethink_det.architecture.flops import flops

LINEAR = dict(type='rethink_det.LinearHead', num_classes=10)
SHAPE = (3, 32, 32)

# What that counter gives, measured on the authors' networks. Behind a VGG it leaves out the
# average over the 2 x 2 pixels that are left: 4 x 512, or 4 x 256 in VGG-16-A.
COUNTED = {
    'resnet56': (252_572_938, 0),
    'resnet56-a': (226_390_090, 0),
    'resnet56-b': (183_137_866, 0),
    'vgg16-a': (413_364_234, 1024),
    'vgg19-cifar': (797_304_842, 2048),
    'preresnet164': (504_759_306, 0),
    'densenet40': (573_052_330, 0),
}


def network(name, **settings):
    return PrunedArchitecture(dict(type=f'rethink_det.{name}', **settings), LINEAR, SHAPE)


def beside(architecture):
    """What is counted beside multiply-adds."""
    return flops(architecture, 'all-layers') - flops(architecture)


@pytest.mark.parametrize('name', COUNTED)
def test_the_authors_counter_gives_the_same(name):
    theirs, left_out = COUNTED[name]
    assert flops(PrunedArchitecture.load(name), 'all-layers') == theirs + left_out


def test_by_default_a_multiply_add_is_two_and_nothing_else_counts():
    architecture = network('VGG', depth=11)
    assert flops(architecture) == flops(architecture, 'conv+linear') == 2 * architecture.cost().macs


@pytest.mark.parametrize('norm, bias', [(True, False), (True, True), (False, True)])
def test_what_every_layer_adds(norm, bias):
    architecture = network('VGG', depth=11, norm=norm, conv_bias=bias, last_pool=False)
    maps = [64 * 32**2, 128 * 16**2, *[256 * 8**2] * 2, *[512 * 4**2] * 2, *[512 * 2**2] * 2]
    pooled = sum(maps) - maps[2] - maps[4] - maps[6] - maps[7]  # a 2 x 2 pool looks at each once
    each = 1 + 2 * norm + bias
    assert beside(architecture) == each * sum(maps) + pooled + maps[7] + 10


def test_a_mask_takes_multiply_adds_alone():
    whole = network('PreResNet', depth=11)
    mask = next(
        p for n, p in whole.build_network().named_parameters() if n.endswith('3.0.conv2.weight')
    )
    masked = whole.after(Cut(masks={'backbone.layer3.0.conv2.weight': mask > 0}))
    assert flops(masked) < flops(whole)
    assert beside(masked) == beside(whole)


def test_a_relu_counts_with_what_is_read_of_it():
    """In the authors' code the selection stands before the ReLU."""
    whole = network('PreResNet', depth=11)
    reads = {'layer2.0.conv1': tuple(range(20)), 'layer3.0.conv1': (0, 5)}
    selected = whole.after(Cut(selections=reads))
    assert beside(whole) - beside(selected) == (64 - 20) * 32**2 + (128 - 2) * 16**2


def test_a_relu_that_the_shortcut_reads_too_counts_whole():
    whole = network('CifarResNet', depth=8)
    selected = whole.after(Cut(selections={'layer3.0.conv1': (0, 5)}))
    assert flops(selected) < flops(whole)
    assert beside(selected) == beside(whole)


@pytest.mark.parametrize('convention', ['macs', '', None, 2])
def test_another_convention_is_refused(convention):
    with pytest.raises(UserError, match=r'flops must be one of conv\+linear, all-layers, got'):
        flops(network('VGG', depth=11), convention)
