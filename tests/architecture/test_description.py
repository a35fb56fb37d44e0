"""Architectures in words: what one is, and how two differ."""

import pytest

from rethink_det.architecture import PrunedArchitecture


@pytest.mark.parametrize('field', ['backbone', 'head', 'input_shape'])
def test_each_field_counts(cifar, field):
    changed = {
        'backbone': {'type': 'rethink_det.CifarResNet', 'depth': 14},
        'head': {'type': 'rethink_det.LinearHead', 'num_classes': 7},
        'input_shape': [3, 24, 24],
    }
    other = PrunedArchitecture.from_dict({**cifar().to_dict(), field: changed[field]})
    assert other != cifar() and other.digest != cifar().digest
    assert [line.partition(':')[0] for line in cifar().diff(other)] == [field]


def test_diff_names_the_layer_and_both_widths(cifar):
    lines = cifar(channels={'layer2.0.conv1': 5}).diff(cifar(channels={'layer1.0.conv1': (0, 2)}))
    assert lines == ['layer2.0.conv1: 5 != whole', 'layer1.0.conv1: whole != 2 [0, 2]']


def test_print_tells_name_and_widths(cifar):
    text = str(cifar(channels={'layer1.0.conv1': 3, 'layer3.0.conv1': (0, 15)}, name='tiny-a'))
    assert text.startswith('tiny-a')
    for part in ('layer1.0.conv1', '3 of 4', 'layer3.0.conv1', '2 of 16', '5 of 7'):
        assert part in text
