"""The shipped architectures cost what the published networks cost."""

from functools import cache

import pytest
import torch

from rethink_det import UserError
from rethink_det.architecture import Cost, PrunedArchitecture, published
from rethink_det.architecture.network import build_backbone

# name: parameters, MACs of convolutions, MACs of linear layers; measured on the networks of
# arXiv 1810.05270 at 32x32 (10 classes) and 224x224 (1000 classes).
COSTS = {
    'resnet56': (853_018, 125_485_056, 640),
    'resnet56-a': (773_336, 112_435_200, 640),
    'resnet56-b': (735_712, 90_906_624, 640),
    'resnet110': (1_727_962, 252_887_040, 640),
    'resnet110-a': (1_688_522, 212_779_008, 640),
    'preresnet110': (1_146_842, 167_428_096, 2_560),
    'preresnet164': (1_703_258, 247_644_160, 2_560),
    'densenet40': (1_059_298, 282_912_768, 4_560),
    'vgg16-cifar': (14_987_722, 313_196_544, 267_264),
    'vgg16-a': (5_397_034, 206_143_488, 136_192),
    'vgg16-bn-cifar': (14_728_266, 313_196_544, 5_120),
    'vgg19-cifar': (20_035_018, 398_131_200, 5_120),
    'vgg19-bn-cifar': (20_040_522, 398_131_200, 5_120),
    'vgg11-bn': (132_885_224, 7_485_456_384, 123_633_664),
    'vgg16': (138_357_544, 15_346_630_656, 123_633_664),
    'vgg16-bn': (138_365_992, 15_346_630_656, 123_633_664),
    'vgg16-thinet-conv': (131_452_552, 4_667_572_224, 123_633_664),
    'vgg16-thinet-gap': (8_322_696, 4_667_572_224, 512_000),
    'vgg16-5x': (130_879_294, 3_391_649_856, 123_633_664),
    'resnet34': (21_797_672, 3_663_249_408, 512_000),
    'resnet34-a': (20_151_764, 3_099_672_576, 512_000),
    'resnet34-b': (19_469_372, 2_781_757_440, 512_000),
    'resnet50': (25_557_032, 4_087_136_256, 2_048_000),
    'resnet50-thinet-30': (8_669_158, 1_164_235_835, 2_048_000),
    'resnet50-thinet-70': (16_949_086, 2_599_344_356, 2_048_000),
    'resnet41-sss': (25_351_080, 3_470_573_568, 2_048_000),
    'resnet32-sss': (14_261_928, 2_815_475_712, 2_048_000),
}

# Epochs of Scratch-B in arXiv 1810.05270: those of the whole network, stretched by the ratio.
SCRATCH_B = {
    'vgg16-a': (160, 243),
    'resnet56-a': (160, 178),
    'resnet56-b': (160, 220),
    'resnet110-a': (160, 190),
    'resnet110-b': (160, 260),
    'resnet34-a': (90, 106),
    'resnet34-b': (90, 118),
    'resnet50-thinet-70': (90, 141),
    'resnet50-2x': (90, 134),
    'resnet41-sss': (100, 117),
    'resnet32-sss': (100, 145),
    'resnet26-sss': (100, 179),
}

# The ratio of compute where its stretch is capped. It was published with activations and
# pooling counted, which MACs are not: equal within a percent.
RATIOS = {
    'vgg16-thinet-conv': ('vgg16', 3.2266),
    'vgg16-thinet-gap': ('vgg16', 3.3116),
    'vgg16-thinet-tiny': ('vgg16', 15.353),
    'vgg16-5x': ('vgg16', 4.3975),
    'resnet50-thinet-30': ('resnet50', 3.4790),
    'resnet50-thinet-50': ('resnet50', 2.2354),
}

# Widths of the first convolutions of all blocks, in block order.
FIRST_CONVS = {
    'resnet56-a': [14] * 7 + [16, 14] + [32] + [28] * 8 + [64] + [57] * 7 + [64],
    'resnet56-b': [6] * 7 + [16, 16] + [32] + [22] * 6 + [32, 22] + [64] + [57] * 7 + [64],
    'resnet110-a': [8] * 17 + [16] + [32] * 18 + [64] * 18,
    'resnet110-b': [8] * 17 + [16] + [32] + [19] * 17 + [64] + [44] * 17,
    'resnet34-a': [64, 44, 44, 128, 89, 89, 128, 256, *[179] * 4, 256, 512, 512, 512],
    'resnet34-b': [64, 32, 32, 128, 51, 51, 128, 256, *[153] * 4, 256, 512, 512, 512],
}

# Widths of all convolutions, in order.
VGG_CONVS = {
    'vgg16-a': [32, 64, 128, 128, *[256] * 9],
    'vgg16-thinet-conv': [32, 32, 64, 64, *[128] * 3, *[256] * 3, *[512] * 3],
    'vgg16-thinet-gap': [32, 32, 64, 64, *[128] * 3, *[256] * 3, *[512] * 3],
    'vgg16-thinet-tiny': [16, 16, 32, 32, *[64] * 3, *[128] * 5, 256],
    'vgg16-5x': [24, 22, 41, 51, 108, 89, 111, 184, 276, 228, 512, 512, 512],
}

# Widths inside the bottlenecks of the four stages.
INNER = {
    'resnet50-thinet-30': [19, 38, 76, 153],
    'resnet50-thinet-50': [32, 64, 128, 256],
    'resnet50-thinet-70': [44, 89, 179, 358],
}


@cache
def cost(name: str) -> Cost:
    with torch.device('meta'):  # no memory for a hundred million weights
        return PrunedArchitecture.load(name).cost()


@pytest.mark.parametrize('name', COSTS)
def test_cost_is_the_published_one(name):
    params, conv, linear = COSTS[name]
    assert (cost(name).params, cost(name).macs_conv, cost(name).macs_linear) == (
        params, conv, linear
    )  # fmt: skip
    assert cost(name).macs == conv + linear


def test_densenet_bc_100_has_the_published_convolutions():
    with torch.device('meta'):
        backbone = build_backbone(PrunedArchitecture.load('densenet-bc-100').backbone)
    convolutions = [m for m in backbone.modules() if isinstance(m, torch.nn.Conv2d)]
    assert sum(conv.weight.numel() for conv in convolutions) == 741_744
    assert round(cost('densenet-bc-100').params / 1e6, 1) == 0.8  # arXiv 1608.06993, table 2


@pytest.mark.parametrize('name', SCRATCH_B)
def test_scratch_b_takes_the_published_epochs(name):
    epochs, stretched = SCRATCH_B[name]
    base = PrunedArchitecture.load(name).base
    with torch.device('meta'):
        assert int(epochs * base.cost().macs / cost(name).macs) == stretched


@pytest.mark.parametrize('name', RATIOS)
def test_compute_shrinks_by_the_published_ratio(name):
    parent, ratio = RATIOS[name]
    assert cost(parent).macs / cost(name).macs == pytest.approx(ratio, rel=0.01)


@pytest.mark.parametrize('name', FIRST_CONVS)
def test_widths_are_the_published_ones(name):
    architecture = PrunedArchitecture.load(name)
    first = [layer for layer in architecture.widths if layer.endswith('.conv1')]
    assert [architecture.kept(layer) for layer in first] == FIRST_CONVS[name]
    others = set(architecture.widths) - set(first)
    assert all(architecture.kept(layer) == architecture.widths[layer] for layer in others)


@pytest.mark.parametrize('name', VGG_CONVS)
def test_vgg_widths_are_the_published_ones(name):
    architecture = PrunedArchitecture.load(name)
    convs = [layer for layer in architecture.widths if layer.startswith('features.')]
    assert [architecture.kept(layer) for layer in convs] == VGG_CONVS[name]


@pytest.mark.parametrize('name', INNER)
def test_both_inner_convolutions_of_a_bottleneck_have_the_published_widths(name):
    architecture = PrunedArchitecture.load(name)
    for layer, whole in architecture.widths.items():
        inner = layer.endswith(('.conv1', '.conv2'))
        stage = int(layer.removeprefix('layer')[0]) - 1 if inner else None
        assert architecture.kept(layer) == (INNER[name][stage] if inner else whole), layer


@pytest.mark.parametrize('name', published.names())
def test_every_shipped_file_loads_under_its_own_name(name):
    architecture = PrunedArchitecture.load(name)
    assert architecture.name == name
    assert architecture.source


def test_cost_depends_on_the_input_only_through_the_macs():
    architecture = PrunedArchitecture.load('resnet56-b')
    small, large = architecture.cost((3, 16, 16)), architecture.cost()
    assert small.params == large.params
    assert 4 * small.macs_conv == large.macs_conv
    assert small.input_shape == (3, 16, 16)
    assert small.as_dict()['input_shape'] == [3, 16, 16]


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UserError, match=', '.join(published.names())):
        PrunedArchitecture.load('resnet56-z')
