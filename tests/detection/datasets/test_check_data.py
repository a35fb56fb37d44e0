"""A COCO folder that is not all there is refused before anything is built."""

import json

import pytest
from mmengine.config import Config

from rethink_det.detection.datasets.check_data import check_data
from rethink_det.errors import UserError


@pytest.fixture
def coco(tmp_path):
    """A COCO folder of two images, one of them in a subfolder."""
    images = [dict(id=1, file_name='1.jpg'), dict(id=2, file_name='more/2.jpg')]
    for image in images:
        file = tmp_path / 'val' / image['file_name']
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (tmp_path / 'val.json').write_text(
        json.dumps(dict(images=images, annotations=[], categories=[]))
    )
    return tmp_path


def config(root, splits=('val',), **changes):
    dataset = dict(
        type='CocoDataset', data_root=str(root), ann_file='val.json', data_prefix=dict(img='val/')
    )
    loaders = {f'{split}_dataloader': dict(dataset={**dataset, **changes}) for split in splits}
    return Config(loaders)


def refusal(config, **options):
    with pytest.raises(UserError) as error:
        check_data(config, **options)
    return str(error.value)


def test_complete_folder_passes(coco):
    check_data(config(coco, splits=('train', 'val', 'test')))


def test_missing_annotations_name_file_and_key(coco):
    text = refusal(config(coco, ann_file='instances.json'))
    assert str(coco / 'instances.json') in text
    assert 'val_dataloader.dataset.data_root' in text
    assert 'val_dataloader.dataset.ann_file' in text


def test_missing_image_folder_names_folder_and_key(coco):
    text = refusal(config(coco, data_prefix=dict(img='pictures/')))
    assert str(coco / 'pictures') in text
    assert 'val_dataloader.dataset.data_prefix.img' in text


@pytest.mark.parametrize('name', ['1.jpg', 'more/2.jpg'])
def test_missing_image_is_named(coco, name):
    (coco / 'val' / name).unlink()
    text = refusal(config(coco))
    assert str(coco / 'val.json') in text
    assert '2 images, 1 of them' in text
    assert name in text


@pytest.mark.parametrize(
    'content', ['{', '[]', '{}', '{"images": 3}', '{"images": [{"id": 1}]}', '\x00\xff', '"images"']
)
def test_file_that_is_no_coco_json_is_refused(coco, content):
    (coco / 'val.json').write_text(content)
    assert f'{coco / "val.json"} is no COCO annotation file' in refusal(config(coco))


def test_only_the_asked_splits_are_looked_at(coco):
    both = config(coco, splits=('test',))
    both.train_dataloader = config(coco, splits=('train',), ann_file='gone.json').train_dataloader
    check_data(both, splits=('test',))
    assert 'train_dataloader' in refusal(both)


def test_every_split_is_looked_at(coco):
    mixed = config(coco, splits=('train', 'val'))
    mixed.test_dataloader = config(coco, splits=('test',), ann_file='gone.json').test_dataloader
    assert 'test_dataloader' in refusal(mixed)


def test_image_folder_of_its_own_is_looked_at_under_shared_annotations(coco):
    mixed = config(coco, splits=('train',))
    other = config(coco, splits=('val',), data_prefix=dict(img='gone/'))
    mixed.val_dataloader = other.val_dataloader
    assert str(coco / 'gone') in refusal(mixed)


def test_data_inside_a_wrapper_is_looked_at(coco):
    inner = config(coco, ann_file='gone.json').val_dataloader.dataset
    wrapped = dict(dataset=dict(type='RepeatDataset', times=2, dataset=inner))
    assert str(coco / 'gone.json') in refusal(Config(dict(train_dataloader=wrapped)))


def test_annotations_of_the_evaluator_are_looked_at(coco):
    tested = config(coco, splits=('val',))
    tested.val_evaluator = dict(type='rethink_det.CocoMetric', ann_file=str(coco / 'gone.json'))
    text = refusal(tested)
    assert str(coco / 'gone.json') in text
    assert 'val_evaluator.ann_file' in text


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
    check_data(Config(loaders))


# -- what the annotations say --------------------------------------------------------------


NAMES = ('circle', 'square')


@pytest.fixture
def annotated(coco):
    """The folder with two categories and two objects; changes its annotation file."""

    def write(**changes):
        path = coco / 'val.json'
        content = json.loads(path.read_text())
        content['categories'] = [dict(id=5 + i, name=name) for i, name in enumerate(NAMES)]
        content['annotations'] = [
            dict(id=i, image_id=i, category_id=4 + i, bbox=[0, 0, 9, 9]) for i in (1, 2)
        ]
        path.write_text(json.dumps(content | changes))
        return coco

    return write


def detector(root, number=2, classes=NAMES, **model):
    model = model or dict(roi_head=dict(bbox_head=dict(num_classes=number)))
    metainfo = dict(metainfo=dict(classes=classes)) if classes else {}
    return Config(dict(model=model, **config(root, **metainfo).to_dict()))


def test_annotations_and_heads_that_agree_pass(annotated):
    check_data(detector(annotated()))


@pytest.mark.parametrize('key, value', [('image_id', 3), ('category_id', 4)])
def test_annotation_of_nothing_is_named(annotated, key, value):
    wrong = dict(id=17, image_id=1, category_id=5, bbox=[0, 0, 9, 9]) | {key: value}
    text = refusal(detector(annotated(annotations=[wrong])))
    assert 'val.json: annotation 17' in text
    assert f'{key} {value}' in text


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
    text = refusal(detector(annotated(), **model))
    assert f'model.{place}.num_classes is 80' in text
    assert '2 categories are circle, square' in text
    assert 'val_dataloader.dataset.metainfo' in text


def test_categories_that_are_no_classes_of_the_data_set_do_not_count(annotated):
    text = refusal(detector(annotated(), classes=None))  # COCO's eighty
    assert 'num_classes is 2, but' in text
    assert "has 0 of the data set's 80 classes" in text


def test_a_part_of_the_categories_may_be_learnt(annotated):
    root = annotated()
    check_data(detector(root, number=1, classes=('square',)))
    check_data(detector(root, number=1, classes='square'))


def test_heads_of_other_things_count_for_themselves(annotated):
    root = annotated()
    two = dict(bbox_head=dict(num_classes=2))
    check_data(detector(root, **two, rpn_head=dict(num_classes=1)))
    check_data(detector(root, bbox_head=dict(num_classes=256), language_model=dict(type='BERT')))


@pytest.mark.parametrize('kind', ['LVISV1Dataset', 'CocoPanopticDataset', 'Objects365V1Dataset'])
def test_files_that_are_read_otherwise_are_left_to_their_data_sets(coco, kind):
    (coco / 'val.json').write_text(json.dumps(dict(images=[dict(id=1, coco_url='1.jpg')])))
    check_data(config(coco, type=kind))
