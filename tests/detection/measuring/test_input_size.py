"""The size of a detector's images: in every form in which a config may say it, or a refusal."""

import random
from copy import deepcopy

import mmdet
import numpy as np
import pytest
import torch
from mmdet.datasets.transforms import FixShapeResize
from mmengine.config import Config
from PIL import Image

from rethink_det.datasets.shapes import build_shapes
from rethink_det.detection.measuring.input_size import input_size
from rethink_det.errors import UserError
from rethink_det.training.config import find_config, load_config
from tests.tiny_data import write_coco

LOAD, PACK = dict(type='LoadImageFromFile'), dict(type='PackDetInputs')
ANNOTATIONS = dict(type='LoadAnnotations', with_bbox=True)
PREPROCESSOR = dict(type='DetDataPreprocessor', pad_size_divisor=32)


def steps(*geometry):
    return [LOAD, *geometry, ANNOTATIONS, PACK]


def resize(width, height, keep_ratio=True, **more):
    return dict(type='Resize', scale=(width, height), keep_ratio=keep_ratio) | more


def coco(root, pipeline, split='val2017', **more):
    """COCO data of images of 320 x 240."""
    return (
        dict(
            type='CocoDataset',
            data_root=f'{root}/',
            ann_file=f'annotations/instances_{split}.json',
            data_prefix=dict(img=f'{split}/'),
            pipeline=pipeline,
            test_mode=True,
        )
        | more
    )


def config(test=None, preprocessor=PREPROCESSOR, **more):
    """As much of a detector's config as says how it looks at images."""
    loaders = {} if test is None else dict(test_dataloader=dict(dataset=test))
    model = dict(type='FasterRCNN') | (
        {} if preprocessor is None else {'data_preprocessor': preprocessor}
    )
    return Config(dict(default_scope='mmdet', model=model) | loaders | more)


# -- the steps -------------------------------------------------------------------------------

PIPELINES = {
    'a side, both given': (steps(resize(128, 96, keep_ratio=False)), (96, 128)),
    'the ratio is kept': (steps(resize(1333, 160)), (160, 224)),
    'the longer side is the limit': (steps(resize(100, 100)), (96, 128)),
    'mmdet. before the name': (steps(resize(128, 96, False, type='mmdet.Resize')), (96, 128)),
    'mmcv. before the name': (steps(resize(128, 96, False, type='mmcv.Resize')), (96, 128)),
    'a class for a name': (
        steps(dict(type=FixShapeResize, width=96, height=64)), (64, 96),
    ),
    'by a factor': (steps(dict(type='Resize', scale_factor=0.5)), (128, 160)),
    'resized twice': (steps(resize(320, 320, False), resize(64, 64, False)), (64, 64)),
    'padded by a step': (
        steps(resize(96, 96), dict(type='Pad', size=(192, 192))), (192, 192),
    ),
    'not resized': (steps(), (256, 320)),
    'padded to powers of two': (
        [
            dict(type='LoadImageFromFile', to_float32=True),
            dict(
                type='RandomCenterCropPad', ratios=None, border=None, mean=[0, 0, 0],
                std=[1, 1, 1], to_rgb=True, test_mode=True,
                test_pad_mode=['logical_or', 31],
            ),
            PACK,
        ],
        (256, 352),
    ),
    'one way of several that come to the same': (
        steps(dict(type='RandomChoice', transforms=[[resize(64, 64)], [resize(64, 50)]])),
        (64, 64),
    ),
    'test-time augmentation by a flip': (
        [
            LOAD,
            dict(
                type='TestTimeAug',
                transforms=[
                    [resize(128, 96)],
                    [dict(type='RandomFlip', prob=p) for p in (1.0, 0.0)],
                    [ANNOTATIONS],
                    [PACK],
                ],
            ),
        ],
        (96, 128),
    ),
}  # fmt: skip


@pytest.mark.parametrize('name', PIPELINES)
def test_what_the_pipeline_makes_of_an_image(name, coco_root):
    pipeline, size = PIPELINES[name]
    found = input_size(config(coco(coco_root, pipeline)))
    assert found.shape == (3, *size)
    assert found.origin == 'the first image of test_dataloader'


@pytest.mark.parametrize('name', PIPELINES)
def test_a_blank_image_of_the_annotated_size_does_as_well(name, coco_root, tmp_path):
    pipeline, size = PIPELINES[name]
    data = coco(coco_root, pipeline, data_prefix=dict(img='nowhere/'))
    found = input_size(config(data))
    assert found.shape == (3, *size)
    assert found.origin.startswith('a blank image of 320x240, the size of the first of test')
    assert 'No such file' in found.origin


def test_images_of_another_shape_are_told_apart(tmp_path):
    write_coco(tmp_path / 'coco')
    first = tmp_path / 'coco' / 'val2017' / f'{1:012d}.jpg'
    Image.open(first).transpose(Image.Transpose.ROTATE_90).save(first)
    found = input_size(config(coco(tmp_path / 'coco', steps(resize(1333, 160)))))
    assert found.shape == (3, 224, 160)


@pytest.mark.parametrize(
    'geometry',
    [
        dict(type='RandomChoiceResize', scales=[(64, 64), (128, 128)], keep_ratio=False),
        dict(type='RandomResize', scale=[(64, 64), (640, 640)], keep_ratio=True),
        dict(type='RandomChoice', transforms=[[resize(64, 64)], [resize(256, 256)]]),
    ],
)
def test_a_size_that_is_drawn_anew_is_no_size(geometry, coco_root):
    with pytest.raises(UserError, match=r'several sizes: 3x64x64, 3x\d+x\d+|several sizes: 3x\d+'):
        input_size(config(coco(coco_root, steps(geometry))))


def test_test_time_augmentation_in_several_sizes_is_no_size(coco_root):
    augmented = dict(
        type='TestTimeAug',
        transforms=[[resize(64, 64), resize(128, 128)], [ANNOTATIONS], [PACK]],
    )
    with pytest.raises(UserError, match='in several sizes: 3x64x64, 3x96x128'):
        input_size(config(coco(coco_root, [LOAD, augmented])))


# -- the data around it ----------------------------------------------------------------------


def wrapped(kind, dataset):
    several = dict(datasets=[dataset, deepcopy(dataset)])
    return {
        'ConcatDataset': dict(type='ConcatDataset', **several),
        'ClassBalancedDataset': dict(
            type='ClassBalancedDataset', oversample_thr=0.1, dataset=dataset
        ),
        'RepeatDataset': dict(type='RepeatDataset', times=2, dataset=dataset),
        'MultiImageMixDataset': dict(
            type='MultiImageMixDataset',
            dataset={**dataset, 'pipeline': [LOAD, ANNOTATIONS]},
            pipeline=[resize(100, 80), PACK],
        ),
        'RepeatDataset of ConcatDataset': dict(
            type='RepeatDataset', times=2, dataset=dict(type='ConcatDataset', **several)
        ),
    }[kind]


KINDS = (
    'ConcatDataset', 'ClassBalancedDataset', 'RepeatDataset', 'MultiImageMixDataset',
    'RepeatDataset of ConcatDataset',
)  # fmt: skip


@pytest.mark.parametrize('kind', KINDS)
def test_data_sets_within_data_sets(kind, coco_root):
    data = coco(coco_root, steps(resize(100, 80)), test_mode=False)
    found = input_size(config(wrapped(kind, data)))
    assert found.shape == (3, 96, 128)
    assert found.origin == 'the first image of test_dataloader'


@pytest.mark.parametrize('kind', KINDS)
def test_the_same_without_any_data(kind):
    data = coco('nowhere', steps(resize(100, 80)))
    found = input_size(config(wrapped(kind, data)))
    assert found.shape == (3, 96, 128)
    assert found.origin == 'a blank image of 640x480 through test_dataloader'


@pytest.mark.parametrize(
    'loaders, pipeline, origin',
    [
        ('val train', None, 'val_dataloader'),
        ('train', 'test_pipeline', 'train_dataloader with test_pipeline'),
        ('train', 'val_pipeline', 'train_dataloader with val_pipeline'),
        ('train', None, 'train_dataloader'),
    ],
)
def test_without_a_test_loader_the_next_best_is_taken_and_named(
    loaders, pipeline, origin, coco_root
):
    known = dict(
        val=coco(coco_root, steps(resize(100, 80))),
        train=coco(coco_root, steps(resize(64, 64, False)), 'train2017', test_mode=False),
    )
    data = {f'{name}_dataloader': dict(dataset=known[name]) for name in loaders.split()}
    data |= {pipeline: steps(resize(100, 80))} if pipeline else {}
    found = input_size(config(test_dataloader=None, **data))
    assert found.shape == ((3, 64, 64) if origin == 'train_dataloader' else (3, 96, 128))
    assert found.origin == f'the first image of {origin}'


def test_the_pipeline_of_the_test_replaces_all_that_is_around_training_data(coco_root):
    inner = coco(coco_root, [LOAD, ANNOTATIONS], 'train2017', test_mode=False)
    mixed = dict(
        type='MultiImageMixDataset',
        dataset=dict(type='RepeatDataset', times=2, dataset=inner),
        pipeline=[dict(type='Mosaic', img_scale=(640, 640)), PACK],
    )
    found = input_size(
        config(train_dataloader=dict(dataset=mixed), test_pipeline=steps(resize(100, 80)))
    )
    assert found.shape == (3, 96, 128)


def test_a_test_set_that_is_not_there_gives_way_to_one_that_is(coco_root):
    test, val = (coco(root, steps(resize(100, 80))) for root in ('nowhere', coco_root))
    found = input_size(config(test, val_dataloader=dict(dataset=val)))
    assert found.origin == 'the first image of val_dataloader'


# -- the preprocessor ------------------------------------------------------------------------


@pytest.mark.parametrize('divisor, size', [(1, (75, 100)), (32, (96, 128)), (128, (128, 128))])
@pytest.mark.parametrize('place', ['in the model', 'beside it'])
def test_padding_is_the_preprocessors(divisor, size, place, coco_root):
    own = dict(type='DetDataPreprocessor', pad_size_divisor=divisor)
    inside = place == 'in the model'
    found = input_size(
        config(
            coco(coco_root, steps(resize(100, 80))),
            own if inside else None,
            **({} if inside else dict(data_preprocessor=own)),
        )
    )
    assert found.shape == (3, *size)


def test_without_a_preprocessor_nothing_is_padded(coco_root):
    assert input_size(config(coco(coco_root, steps(resize(100, 80))), None)).shape == (3, 75, 100)


def test_what_it_draws_in_training_does_not_matter(coco_root):
    jitter = dict(type='BatchSyncRandomResize', random_size_range=(320, 640))
    own = dict(type='DetDataPreprocessor', pad_size_divisor=32, batch_augments=[jitter])
    assert input_size(config(coco(coco_root, steps(resize(100, 80))), own)).shape == (3, 96, 128)


def test_gray_images_have_one_channel(coco_root):
    gray = dict(type='LoadImageFromFile', color_type='grayscale')
    data = coco(coco_root, [gray, resize(64, 64, False), PACK])
    assert input_size(config(data)).shape == (1, 64, 64)
    assert input_size(config(coco('nowhere', data['pipeline']))).shape == (1, 64, 64)


# -- without an image ------------------------------------------------------------------------


def test_proposals_and_videos_are_prepared_without_any():
    proposals = [
        LOAD,
        dict(type='LoadProposals', num_max_proposals=2000),
        dict(type='ProposalBroadcaster', transforms=[resize(1333, 800)]),
        PACK,
    ]
    assert input_size(config(coco('nowhere', proposals))).shape == (3, 800, 1088)
    video = [
        dict(
            type='TransformBroadcaster',
            transforms=[LOAD, resize(1088, 1088), dict(type='LoadTrackAnnotations')],
        ),
        dict(type='PackTrackInputs'),
    ]
    track = dict(type='TrackDataPreprocessor', pad_size_divisor=32)
    assert input_size(config(coco('nowhere', video), track)).shape == (3, 832, 1088)


def test_storage_that_is_not_there_is_not_asked_for_a_blank_image():
    load = dict(type='LoadImageFromFile', backend_args=dict(backend='petrel'))
    data = coco('nowhere', [load, resize(100, 80), PACK], backend_args=dict(backend='petrel'))
    assert input_size(config(data)).shape == (3, 96, 128)


@pytest.mark.parametrize(
    'one, reason',
    [
        (config(), 'the config has no data'),
        (config(dict(type='NoDataset', pipeline=[LOAD, PACK])), 'the size of an image is kept'),
        (config(coco('nowhere', steps())), 'the size of an image is kept, and no image is at hand'),
        (config(coco('nowhere', None)), 'it has no pipeline'),
        (config(coco('nowhere', steps(dict(type='Rezise')))), 'Rezise'),
        (config(coco('nowhere', [LOAD, resize(64, 64)])), "KeyError: 'inputs'"),
        (config(coco('x', steps()), dict(type='Preprocess')), 'data_preprocessor cannot be built'),
    ],
)
def test_what_cannot_be_told_is_refused_with_the_reason(one, reason):
    with pytest.raises(UserError, match=reason):
        input_size(one)


def test_reasons_name_all_that_was_tried():
    test, val = (coco(root, steps()) for root in ('there', 'elsewhere'))
    with pytest.raises(UserError) as refusal:
        input_size(config(test, val_dataloader=dict(dataset=val)))
    text = str(refusal.value)
    assert "test_dataloader: FileNotFoundError: [Errno 2] No such file or directory: 'there" in text
    assert 'test_dataloader, val_dataloader: the size of an image is kept' in text


# -- without a trace -------------------------------------------------------------------------


def test_neither_the_config_nor_random_numbers_are_touched(coco_root):
    geometry = dict(type='RandomChoice', transforms=[[resize(64, 64)], [resize(64, 50)]])
    one = config(coco(coco_root, steps(geometry)))
    before = deepcopy(one.to_dict())
    drawn = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    input_size(one)
    assert one.to_dict() == before
    assert (random.getstate(), np.random.get_state()[1].tolist()) == drawn[:2]
    assert torch.equal(torch.get_rng_state(), drawn[2])


def test_a_key_that_ends_the_program_ends_it(coco_root, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(mmdet.datasets.CocoDataset, '__getitem__', interrupt)
    with pytest.raises(KeyboardInterrupt):
        input_size(config(coco(coco_root, steps(resize(64, 64)))))


# -- this package's configs ------------------------------------------------------------------


def by_the_step_called_resize(config):
    """As it was told before: right where images of any shape are resized to one size."""
    scale = next(s.scale for s in config.test_dataloader.dataset.pipeline if s.type == 'Resize')
    return 3, *(side // 32 * 32 for side in scale[::-1])


@pytest.mark.slow
@pytest.mark.parametrize('name', ['faster-rcnn_r18-w16_fpn_shapes', 'mask-rcnn_r18-w16_fpn_shapes'])
def test_shapes_are_measured_as_they_were(name, tmp_path):
    one = load_config(find_config(f'detection/{name}.py'))
    assert input_size(one).shape == by_the_step_called_resize(one) == (3, 128, 128)
    size = dict(crops=(2, 2), images=(2, 2))
    root = str(build_shapes(tmp_path / 'shapes', **size))
    one.test_dataloader.dataset.update(data_root=root, **size)
    found = input_size(one)
    assert found.shape == (3, 128, 128)
    assert found.origin == 'the first image of test_dataloader'
