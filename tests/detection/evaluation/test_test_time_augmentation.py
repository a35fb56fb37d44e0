"""``test --tta``: boxes of several views, merged; the same evaluators as without."""

import json
from copy import deepcopy

import pytest

from rethink_det.architecture.checkpoint import save_checkpoint
from rethink_det.datasets.shapes import build_shapes
from rethink_det.detection.evaluation.test_time_augmentation import (
    FLIPS,
    with_test_time_augmentation,
)
from rethink_det.errors import UserError
from rethink_det.training.launch import evaluate
from tests.small_detectors import config as small_config
from tests.small_detectors import detector


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    """A function: the boxes that the small detector finds, by a config that is changed."""
    folder = tmp_path_factory.mktemp('views')
    size = dict(crops=(8, 8), images=(4, 4))
    root = str(build_shapes(folder / 'shapes', **size))
    checkpoint = folder / 'found.pth'
    save_checkpoint({'meta': {}, 'state_dict': detector().state_dict()}, checkpoint)
    config = small_config()
    for split in ('train', 'val', 'test'):
        config[f'{split}_dataloader'].dataset.update(data_root=root, **size)
    config.test_evaluator.ann_file = f'{root}/annotations/instances_val.json'
    config.work_dir = str(folder / 'work')

    def found(change):
        own = change(deepcopy(config))
        own.test_evaluator.outfile_prefix = str(folder / 'found')
        evaluate(own, checkpoint)
        rows = json.loads((folder / 'found.bbox.json').read_text())
        return {
            (row['image_id'], row['category_id'], *(round(x, 1) for x in row['bbox']))
            for row in rows
        }

    return found


def by_views(*chances):
    """Of a config that looks at each image as often as there are chances that it is turned."""

    def change(config):
        flips, packed = deepcopy(FLIPS['transforms'])
        views = [{**flips[0], 'prob': one} for one in chances]
        steps = config.test_dataloader.dataset.pipeline[:-1]
        step = {'type': 'TestTimeAug', 'transforms': [views, packed]}
        config.tta_pipeline = [*steps, step]
        return with_test_time_augmentation(config).config

    return change


def test_one_view_is_no_change_and_two_are_merged(world):
    plain = world(lambda config: config)
    assert plain and world(by_views(0.0)) == plain
    mirrored = world(by_views(1.0))
    merged = world(lambda config: with_test_time_augmentation(config).config)
    assert merged <= plain | mirrored
    assert merged & plain and merged & mirrored and merged not in (plain, mirrored)


def test_what_is_taken_is_said_and_the_config_stays():
    config = small_config()
    before = config.pretty_text
    adapted = with_test_time_augmentation(config)
    assert [change.place for change in adapted.changes] == [
        'tta_model',
        'test_dataloader.dataset.pipeline',
    ]
    assert config.pretty_text == before
    own = small_config()
    own.tta_model = dict(type='DetTTAModel', tta_cfg=dict(nms=dict(iou_threshold=0.6)))
    own.tta_pipeline = [dict(type='LoadImageFromFile')]
    adapted = with_test_time_augmentation(own)
    assert not adapted.changes
    assert adapted.config.model.tta_cfg.nms.iou_threshold == 0.6
    assert adapted.config.test_dataloader.dataset.pipeline == own.tta_pipeline


def test_masks_and_odd_pipelines_are_refused():
    with pytest.raises(UserError, match='finds masks, and mmdet merges boxes alone'):
        with_test_time_augmentation(small_config('mask'))
    config = small_config()
    config.test_dataloader.dataset.pipeline.pop()
    with pytest.raises(UserError, match='does not end in PackDetInputs'):
        with_test_time_augmentation(config)
    config.test_dataloader = None
    with pytest.raises(UserError, match='no test_dataloader'):
        with_test_time_augmentation(config)
