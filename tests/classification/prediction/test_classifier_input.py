"""A picture is made ready as the evaluation has it, and a file says how."""

import numpy as np
import pytest
import torch
from mmengine.config import Config

from rethink_det.architecture.input_convention import InputConvention
from rethink_det.classification.prediction import ClassifierInput
from rethink_det.datasets import ImageNet
from rethink_det.datasets.pixels import rgb_of
from rethink_det.errors import UserError
from tests.tiny_data import write_imagenet

CONVENTION = InputConvention('bgr', (1.0, 2.0, 3.0), (4.0, 5.0, 6.0))


def imagenet_config(**settings):
    data = dict(type='rethink_det.ImageNet', split='val', **settings)
    return Config(dict(test_dataloader=dict(dataset=data)))


def test_the_size_and_the_crop_are_those_of_the_test_data(tmp_path):
    write_imagenet(tmp_path, ('n01', 'n02'))
    data = ImageNet(tmp_path, 'val', num_classes=2, size=20, resize=28)
    config = imagenet_config(size=20, resize=28)
    reads = ClassifierInput.of((3, 20, 20), CONVENTION, data.metainfo['classes'], config)
    assert reads.short_side == 28
    for index in range(2):
        ours = reads.pixels(rgb_of(data.path(index))).int()
        assert (ours - data[index]['inputs'].int()).abs().max() <= 2  # two decoders


def test_a_picture_of_the_size_stays_as_it_is_and_another_keeps_its_middle():
    reads = ClassifierInput.of((3, 4, 6), CONVENTION, ())
    picture = np.arange(72, dtype=np.uint8).reshape(4, 6, 3)
    assert (reads.pixels(picture).numpy() == picture.transpose(2, 0, 1)).all()
    assert reads.short_side == 4 and reads.pixels(np.zeros((9, 40, 3), np.uint8)).shape == (3, 4, 6)


def test_channels_are_normalised_in_the_order_of_the_network():
    reads = ClassifierInput.of((3, 1, 1), CONVENTION, ())
    rgb = torch.tensor([3 + 6, 2 + 5, 1 + 4], dtype=torch.uint8)[:, None, None]
    assert reads.normalised(rgb).flatten().tolist() == [1, 1, 1]


def test_what_a_file_says_is_read_again():
    reads = ClassifierInput((3, 4, 6), 9, CONVENTION, ('a', 'b'))
    assert ClassifierInput.from_dict(reads.to_dict(), CONVENTION, 'a.onnx') == reads


@pytest.mark.parametrize(
    'change',
    [
        {'shape': [3, 4]},
        {'shape': [3, 4, 0]},
        {'shape': '344'},
        {'short_side': 3},
        {'short_side': 9.0},
        {'classes': [1, 2]},
        {'classes': None},
    ],
)
def test_what_makes_no_sense_is_refused(change):
    said = ClassifierInput((3, 4, 6), 9, CONVENTION, ('a', 'b')).to_dict()
    with pytest.raises(UserError, match='a.onnx: what it says of its input'):
        ClassifierInput.from_dict({**said, **change}, CONVENTION, 'a.onnx')
