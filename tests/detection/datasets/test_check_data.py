"""Data that do not agree with each other are refused before anything is built."""

import json
import shutil

import pytest
from mmengine.config import Config

from rethink_det.detection.datasets.check_data import check_data
from rethink_det.errors import UserError
from tests.detection.datasets.annotated import NAMES


def refusal(config, **options):
    with pytest.raises(UserError) as error:
        check_data(config, **options)
    return str(error.value)


def renamed(*names):
    """Categories of these names, in this order, under the same ids."""

    def edit(file):
        ids = {one['name']: one['id'] for one in file['categories']}
        spare = iter(range(50, 60))
        file['categories'] = [dict(id=ids.get(n) or next(spare), name=n) for n in names]

    return edit


# -- files and folders ---------------------------------------------------------------------


def test_what_agrees_passes_without_a_word(annotated):
    assert check_data(annotated.config()) == ()


def test_missing_annotations_name_file_and_key(annotated):
    text = refusal(annotated.config(val=dict(ann_file='instances.json')))
    assert str(annotated.root / 'instances.json') in text
    assert 'val_dataloader.dataset.data_root' in text
    assert 'val_dataloader.dataset.ann_file' in text


def test_missing_image_folder_names_folder_and_key(annotated):
    text = refusal(annotated.config(train=dict(data_prefix=dict(img='pictures/'))))
    assert str(annotated.root / 'pictures') in text
    assert 'train_dataloader.dataset.data_prefix.img' in text


@pytest.mark.parametrize('name', ['val2.jpg', 'more/val2.jpg'])
def test_missing_image_is_named(annotated, name):
    annotated.change('val', lambda file: file['images'][1].update(file_name=name))
    (annotated.root / 'val/val2.jpg').unlink()
    text = refusal(annotated.config())
    assert str(annotated.path('val')) in text
    assert '6 images, 1 of them' in text
    assert name in text


def test_only_the_asked_splits_are_looked_at(annotated):
    config = annotated.config(train=dict(ann_file='gone.json'))
    assert check_data(config, splits=('val',)) == ()
    assert 'train_dataloader' in refusal(config)


def test_data_inside_a_wrapper_is_looked_at(annotated):
    inner = annotated.dataset('train', ann_file='gone.json')
    wrapped = dict(dataset=dict(type='RepeatDataset', times=2, dataset=inner))
    assert str(annotated.root / 'gone.json') in refusal(Config(dict(train_dataloader=wrapped)))


@pytest.mark.parametrize(
    'loaders',
    [
        {},
        dict(train_dataloader=None),
        dict(train_dataloader=dict(dataset=dict(type='rethink_det.ImageFolder', data_root='x'))),
        dict(val_dataloader=dict(dataset=dict(type='rethink_det.ShapesCoco', ann_file='x.json'))),
        dict(val_dataloader=dict(dataset=dict(type='CocoDataset', ann_file='s3://bucket/x.json'))),
    ],
)
def test_what_is_no_local_coco_folder_is_left_to_itself(loaders):
    assert check_data(Config(loaders)) == ()


@pytest.mark.parametrize('kind', ['LVISV1Dataset', 'CocoPanopticDataset', 'Objects365V1Dataset'])
def test_files_that_are_read_otherwise_are_left_to_their_data_sets(annotated, kind):
    other = dict(images=[dict(id=1, coco_url='1.jpg')])
    annotated.path('train').write_text(json.dumps(other))
    config = annotated.config(train=dict(type=kind))
    assert check_data(config, splits=('train',)) == ()
    assert 'gone.json does not exist' in refusal(
        annotated.config(train=dict(type=kind, ann_file='gone.json'))
    )


# -- classes -------------------------------------------------------------------------------


@pytest.mark.parametrize('split', ['train', 'val'])
def test_categories_in_another_order_are_refused(annotated, split):
    annotated.change(split, renamed('square', 'circle'))
    text = refusal(annotated.config())
    assert f'{annotated.path(split)} has the categories square, circle, in this order' in text
    assert f'{split}_dataloader.dataset.metainfo.classes is circle, square' in text


def test_a_data_set_that_goes_by_names_takes_any_order(annotated):
    annotated.change('val', renamed('square', 'circle'))
    named = annotated.config(val=dict(type='rethink_det.CocoDataset'))
    assert check_data(named, splits=('val',)) == ()
    judge = annotated.config(
        val=dict(type='rethink_det.CocoDataset'), evaluator=dict(type='mmdet.CocoMetric')
    )
    assert "'rethink_det.CocoMetric' for their evaluators" in refusal(judge)


def test_classes_of_the_config_in_another_order_are_refused(annotated):
    turned = dict(metainfo=dict(classes=NAMES[::-1]))
    assert 'metainfo.classes is square, circle' in refusal(annotated.config(turned, turned))


def test_splits_with_other_classes_are_refused(annotated):
    annotated.change('val', renamed('square', 'circle'))
    text = refusal(annotated.config(val=dict(metainfo=dict(classes=NAMES[::-1]))))
    assert 'train_dataloader.dataset has the classes circle, square' in text
    assert 'val_dataloader.dataset has square, circle' in text


def test_a_class_that_is_spelled_otherwise_is_named_with_what_is_there(annotated):
    annotated.change('train', lambda file: file['categories'][1].update(name='Square'))
    text = refusal(annotated.config(model=dict(type='none')))
    assert f"{annotated.path('train')} has no category 'square'" in text
    assert "it has 'Square'" in text


def test_two_categories_of_one_name_are_refused(annotated):
    annotated.change('train', lambda file: file['categories'].insert(0, dict(id=0, name='circle')))
    text = refusal(annotated.config(model=dict(type='none')))
    assert "the categories 0 and 5 are both called 'circle'" in text
    assert 'both called' in refusal(annotated.config())


@pytest.mark.parametrize(
    'place, model',
    [
        ('bbox_head', dict(bbox_head=dict(num_classes=80))),
        ('roi_head.bbox_head', dict(roi_head=dict(bbox_head=dict(num_classes=80)))),
        (
            'roi_head.bbox_head.1',
            dict(roi_head=dict(bbox_head=[dict(num_classes=2), dict(num_classes=80)])),
        ),
        (
            'roi_head.mask_head',
            dict(roi_head=dict(bbox_head=dict(num_classes=2), mask_head=dict(num_classes=80))),
        ),
    ],
)
def test_head_of_another_number_of_classes_is_named(annotated, place, model):
    text = refusal(annotated.config(model=model))
    assert f'model.{place}.num_classes is 80' in text
    assert '2 categories are circle, square' in text
    assert 'train_dataloader.dataset.metainfo' in text


def test_categories_that_are_no_classes_of_the_data_set_do_not_count(annotated):
    text = refusal(annotated.config(train=dict(metainfo=None)))  # COCO's eighty
    assert 'num_classes is 2, but' in text
    assert "has 0 of the data set's 80 classes" in text


@pytest.mark.parametrize('classes', [('square',), 'square'])
def test_a_part_of_the_categories_may_be_learnt(annotated, classes):
    part = dict(metainfo=dict(classes=classes))
    config = annotated.config(part, part, model=dict(bbox_head=dict(num_classes=1)))
    notes = check_data(config)
    assert f'{annotated.path("train")}: of 18 objects 9 are left out: 9 of classes' in notes[0]


def test_heads_of_other_things_count_for_themselves(annotated):
    two = dict(bbox_head=dict(num_classes=2))
    check_data(annotated.config(model=dict(two, rpn_head=dict(num_classes=1))))
    grounding = dict(bbox_head=dict(num_classes=256), language_model=dict(type='BERT'))
    check_data(annotated.config(model=grounding))


# -- a leak --------------------------------------------------------------------------------


def test_pictures_that_are_trained_and_judged_on_are_said_loudly(annotated):
    shutil.copy(annotated.root / 'train/train3.jpg', annotated.root / 'val/val1.jpg')
    (note,) = check_data(annotated.config())
    assert note.startswith('WARNING: 1 of 6 pictures of val are trained on, too')
    assert str(annotated.root / 'train/train3.jpg') in note


def test_the_same_file_for_training_and_validation_is_a_leak_of_all(annotated):
    place = dict(ann_file='train.json', data_prefix=dict(img='train/'))
    config = annotated.config(val=place, evaluator=dict(ann_file=str(annotated.path('train'))))
    config.test_dataloader = config.val_dataloader
    (note,) = check_data(config)  # said once, though val is test
    assert '6 of 6 pictures of val' in note
