"""Small pictures and detectors that pick their queries among the places of feature maps."""

import pytest

from rethink_det import UserError
from rethink_det.detection.transfer.enough_places import pad_for_queries
from rethink_det.training.launch import _pictures_too_small
from tests.detection.transfer.adapting import mmdet_config

DINO = 'dino/dino-4scale_r50_8xb2-12e_coco.py'
DDQ = 'ddq/ddq-detr-4scale_r50_8xb2-12e_coco.py'
TWO_STAGE = 'deformable_detr/deformable-detr-refine-twostage_r50_16xb2-50e_coco.py'
ONE_STAGE = 'deformable_detr/deformable-detr_r50_16xb2-50e_coco.py'


def at(name, side):
    """A config of mmdet whose test pictures are squares."""
    config = mmdet_config(name)
    resize = dict(type='Resize', scale=(side, side), keep_ratio=False)
    load, pack = dict(type='LoadImageFromFile'), dict(type='PackDetInputs')
    for loader in (config.val_dataloader, config.test_dataloader):
        loader.dataset.pipeline = [load, resize, pack]
    return config


@pytest.mark.parametrize(
    'name, side, padded',
    [(DINO, 128, 256), (DINO, 256, None), (DDQ, 256, None), (DDQ, 224, 256), (TWO_STAGE, 96, 128),
     (ONE_STAGE, 64, None), ('detr/detr_r50_8xb2-150e_coco.py', 64, None)],
)  # fmt: skip
def test_pictures_are_padded_to_have_as_many_places_as_are_picked(name, side, padded):
    config = at(name, side)
    before = dict(config.model.data_preprocessor)
    changes = pad_for_queries(config)
    after = dict(config.model.data_preprocessor)
    if padded is None:
        assert (changes, after) == ([], before)
        return
    (change,) = changes
    assert change.place == 'model.data_preprocessor.pad_size_divisor' and change.after == padded
    assert after == {**before, 'pad_size_divisor': padded}
    assert pad_for_queries(config) in ([], changes)  # the pictures themselves are as small


def test_without_a_change_the_failure_names_the_setting():
    config = mmdet_config(DINO)
    told = pytest.raises(UserError, match='num_queries=900 places.*too small')
    with told, _pictures_too_small(config):
        raise RuntimeError('selected index k out of range')
    with pytest.raises(RuntimeError, match='another'), _pictures_too_small(config):
        raise RuntimeError('another')
