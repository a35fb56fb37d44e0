"""An evaluator judges the images that its loader runs, or is refused."""

import json
import shutil

import pytest

from rethink_det.detection.datasets.check_data import check_data
from tests.detection.datasets.test_check_data import refusal


@pytest.fixture
def judged(annotated):
    """Writes another file for the evaluator; gives its setting."""

    def write(edit):
        content = json.loads(annotated.path('val').read_text())
        edit(content)
        path = annotated.root / 'judged.json'
        path.write_text(json.dumps(content))
        return dict(ann_file=str(path))

    return write


def test_a_missing_file_names_the_key(annotated):
    gone = str(annotated.root / 'gone.json')
    text = refusal(annotated.config(evaluator=dict(ann_file=gone)))
    assert f'{gone} does not exist. Set val_evaluator.ann_file.' in text
    config = annotated.config()
    config.val_evaluator = [config.val_evaluator, dict(type='CocoMetric', ann_file=gone)]
    assert 'Set val_evaluator.1.ann_file.' in refusal(config)


def test_a_copy_of_the_loaders_file_passes(annotated, judged):
    assert check_data(annotated.config(evaluator=judged(lambda _: None))) == ()


@pytest.mark.parametrize('kind', ['CocoMetric', 'mmdet.CocoMetric', 'rethink_det.CocoMetric'])
def test_the_file_of_other_images_is_refused(annotated, kind):
    other = dict(type=kind, ann_file=str(annotated.path('train')))
    text = refusal(annotated.config(evaluator=other))
    assert (
        f'{annotated.path("train")} calls image 1 train1.jpg, but {annotated.path("val")}' in text
    )
    assert f'Set val_evaluator.ann_file to {annotated.path("val")}' in text


def test_another_order_of_the_categories_is_for_an_evaluator_that_goes_by_names(annotated, judged):
    turned = judged(lambda file: file['categories'].reverse())
    assert check_data(annotated.config(evaluator=turned)) == ()
    text = refusal(annotated.config(evaluator=dict(turned, type='mmdet.CocoMetric')))
    assert 'has the categories square, circle, in this' in text


@pytest.mark.parametrize(
    'edit, message',
    [
        (lambda file: file['images'].append(dict(file['images'][0], id=9, file_name='a.jpg')),
         'has 7 images, but val_dataloader.dataset runs 6 of them'),
        (lambda file: file.update(images=file['images'][1:], annotations=file['annotations'][3:]),
         'lacks image 1 (val1.jpg), which val_dataloader.dataset runs'),
        (lambda file: file['categories'][0].update(name='disc'), "has no category 'circle'"),
        (lambda file: file.update(annotations=[]), 'has no objects: val_evaluator would judge'),
    ],
)  # fmt: skip
def test_a_file_that_differs_is_refused(annotated, judged, edit, message):
    text = refusal(annotated.config(evaluator=judged(edit)))
    assert f'{annotated.root / "judged.json"} {message}' in text


def test_a_file_without_objects_may_be_predicted_on(annotated):
    annotated.change('val', lambda file: file.update(annotations=[]))
    assert 'val.json has no objects: val_evaluator would judge nothing' in refusal(
        annotated.config()
    )
    assert check_data(annotated.config(evaluator=dict(format_only=True))) == ()


def test_masks_are_judged_where_there_are_masks(annotated):
    annotated.change('val', lambda file: file['annotations'][4].pop('segmentation'))
    assert check_data(annotated.config()) == ()
    text = refusal(annotated.config(evaluator=dict(metric=['bbox', 'segm'])))
    assert 'val.json: 1 of 18 objects have no segmentation, the first is annotation 5' in text


def test_iscrowd_may_be_left_out_for_this_packages_metric(annotated):
    annotated.change('val', lambda file: [one.pop('iscrowd') for one in file['annotations']])
    assert check_data(annotated.config()) == ()
    text = refusal(annotated.config(evaluator=dict(type='mmdet.CocoMetric')))
    assert 'val.json: 18 of 18 annotations have no iscrowd' in text
    assert "set val_evaluator.type='rethink_det.CocoMetric'" in text


def test_joined_data_sets_must_not_share_ids(annotated):
    parts = [annotated.dataset('val'), annotated.dataset('train', test_mode=True)]
    config = annotated.config()
    config.val_dataloader = dict(dataset=dict(type='ConcatDataset', datasets=parts))
    assert 'image id 1 is train1.jpg, but that of val1.jpg' in refusal(config)
    shutil.rmtree(annotated.root / 'train')  # before anything else is looked at
    assert 'train is no folder' in refusal(config)


def test_crowds_alone_cannot_be_judged(annotated):
    annotated.change('val', lambda file: [one.update(iscrowd=1) for one in file['annotations']])
    assert 'has crowds alone: val_evaluator would judge nothing' in refusal(annotated.config())


@pytest.mark.parametrize(
    'mask, message',
    [
        ([[1, 2, 3, 4]], '1 of 18 objects have no segmentation, the first is annotation 3'),
        (dict(counts=[9], size=[40, 50]), '1 of 18 objects have a segmentation that cannot be'),
    ],
    ids=str,
)
def test_masks_that_are_judged_can_be_drawn(annotated, mask, message):
    annotated.change('val', lambda file: file['annotations'][2].update(segmentation=mask))
    assert check_data(annotated.config()) == ()
    assert message in refusal(annotated.config(evaluator=dict(metric=['bbox', 'segm'])))
