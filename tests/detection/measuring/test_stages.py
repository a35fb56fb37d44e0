"""Widths of a pruned backbone, inside of its stages and between them."""

from rethink_det.architecture import PrunedArchitecture
from rethink_det.detection.measuring.stages import stage_widths

RESNET = dict(type='mmdet.ResNet', depth=18, base_channels=16)
HEAD = dict(type='rethink_det.LinearHead', num_classes=8)


def resnet(**channels):
    return PrunedArchitecture(RESNET, HEAD, (3, 64, 64), channels)


def test_widths_inside_of_stages_and_between_them():
    cut = resnet(**{'layer1.0.conv1': 4, 'layer4.1.conv1': 100})
    stages = stage_widths(cut, dict(out_indices=(0, 1, 2, 3)))
    assert [one['stride'] for one in stages] == [4, 8, 16, 32]
    assert [one['width'] for one in stages] == [one['base_width'] for one in stages]
    assert [one['base_inside'] for one in stages] == [4 * 16, 5 * 32, 5 * 64, 5 * 128]
    assert [one['base_inside'] - one['inside'] for one in stages] == [12, 0, 0, 28]


def test_a_narrower_output_shows():
    coupled = ('layer2.0.conv2', 'layer2.0.downsample.0', 'layer2.1.conv2')
    narrow = resnet(**dict.fromkeys(coupled, 20))
    _, second, *_ = stage_widths(narrow, dict(out_indices=(0, 1, 2, 3)))
    assert (second['width'], second['base_width'], second['stride']) == (20, 32, 8)
