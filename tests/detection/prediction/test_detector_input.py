"""A picture is fitted into one size as mmdet resizes, normalises and pads, and a file says how."""

import numpy as np
import pytest
import torch
from mmcv.transforms import Resize
from mmdet.models import DetDataPreprocessor
from mmengine.config import Config

from rethink_det.architecture.input_convention import InputConvention
from rethink_det.detection.prediction import DetectorInput
from rethink_det.errors import UserError

CONVENTION = InputConvention('rgb', (120.0, 110.0, 100.0), (60.0, 50.0, 40.0))


def config(*steps, **model):
    data = dict(type='mmdet.CocoDataset', metainfo=dict(classes=('a', 'b')), pipeline=list(steps))
    model = dict(backbone=dict(type='mmdet.ResNet'), **model)
    return Config(dict(model=model, test_dataloader=dict(dataset=data)))


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (30, 50, 3), np.uint8)


@pytest.mark.parametrize('channels', ['rgb', 'bgr'])
def test_pixels_are_those_that_mmdet_hands_its_detector(noise, channels):
    convention = InputConvention(channels, CONVENTION.mean, CONVENTION.std)
    reads = DetectorInput((3, 64, 64), True, 0.0, convention)
    image, scale = reads.pixels(noise)
    resized = Resize(scale=(64, 64), keep_ratio=True)(dict(img=noise[:, :, ::-1].copy()))
    preprocessor = DetDataPreprocessor(**convention.settings(), pad_size_divisor=64)
    given = torch.from_numpy(resized['img'].copy()).permute(2, 0, 1)
    (wanted,) = preprocessor({'inputs': [given], 'data_samples': None})['inputs']
    torch.testing.assert_close(reads.normalised(image), wanted)
    assert scale == tuple(resized['scale_factor'])


def test_pixels_for_a_network_that_normalises_are_padded_with_the_mean(noise):
    for channels, corner in (('rgb', [120, 110, 100]), ('bgr', [100, 110, 120])):
        reads = DetectorInput(
            (3, 64, 64), True, 0.0, InputConvention(channels, CONVENTION.mean, CONVENTION.std)
        )
        image, _ = reads.pixels(noise)
        whole = reads.padded(image)
        assert whole.shape == (3, 64, 64) and whole[:, -1, -1].tolist() == corner
        assert (whole[:, :38] == image).all()


def test_a_picture_fits_whichever_of_its_sides_is_the_longer(noise):
    reads = DetectorInput((3, 20, 60), True, 0.0, CONVENTION)
    for picture in (noise, noise.transpose(1, 0, 2)):
        (_, high, wide), (_, scale) = reads.pixels(picture)[0].shape, reads.pixels(picture)[1]
        assert high <= 20 and wide <= 60 and scale == high / len(picture)
    stretched = DetectorInput((3, 20, 60), False, 0.0, CONVENTION)
    assert stretched.pixels(noise)[0].shape == (3, 20, 60)


def test_the_config_says_how(noise):
    resize = dict(type='mmdet.Resize', scale=(64, 64))
    reads = DetectorInput.of((3, 64, 64), CONVENTION, ('x',), config(resize))
    assert not reads.keep_ratio and reads.classes == ('a', 'b') and reads.padding == 0
    model = dict(
        data_preprocessor=dict(pad_value=114), test_cfg=dict(rcnn=dict(mask_thr_binary=0.7))
    )
    reads = DetectorInput.of(
        (3, 64, 64), CONVENTION, (), config({**resize, 'keep_ratio': True}, **model)
    )
    assert reads.keep_ratio and reads.padding == 114 and reads.mask_threshold == 0.7
    bare = config()
    bare.test_dataloader = None
    assert DetectorInput.of((3, 64, 64), CONVENTION, ('x',), bare).classes == ('x',)


def test_what_a_file_says_is_read_again():
    reads = DetectorInput((3, 4, 6), False, 0.5, CONVENTION, ('a', 'b'), 0.6)
    assert DetectorInput.from_dict(reads.to_dict(), CONVENTION, 'a.onnx') == reads


@pytest.mark.parametrize(
    'change',
    [
        {'shape': [3, 4]},
        {'shape': [3, -4, 6]},
        {'keep_ratio': 1},
        {'padding': '0'},
        {'mask_threshold': None},
        {'classes': 'ab'},
    ],
)
def test_what_makes_no_sense_is_refused(change):
    said = DetectorInput((3, 4, 6), False, 0.5, CONVENTION, ('a', 'b')).to_dict()
    with pytest.raises(UserError, match='a.onnx: what it says of its input'):
        DetectorInput.from_dict({**said, **change}, CONVENTION, 'a.onnx')
