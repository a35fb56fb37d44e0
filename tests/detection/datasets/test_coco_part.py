"""What an annotation file says of its images and objects fits together, or is refused."""

import pytest

from rethink_det.detection.datasets.check_data import check_data
from rethink_det.errors import UserError
from tests.detection.datasets.test_check_data import refusal

WITH_MASKS = dict(
    pipeline=[
        dict(type='LoadImageFromFile'),
        dict(type='mmdet.LoadAnnotations', with_bbox=True, with_mask=True),
    ]
)


def edited(step=1, **changes):
    """Every so manyth object with other values."""

    def edit(file):
        for one in file['annotations'][::step]:
            one.update(changes)

    return edit


@pytest.mark.parametrize('key, value', [('image_id', 77), ('category_id', 4), ('image_id', '1')])
def test_annotation_of_nothing_is_named(annotated, key, value):
    annotated.change('val', lambda file: file['annotations'][1].update({key: value}))
    text = refusal(annotated.config())
    assert f'{annotated.path("val")}: annotation 2' in text
    assert f'{key} {value!r}' in text


def test_a_training_file_without_objects_teaches_nothing(annotated):
    annotated.change('train', lambda file: file.update(annotations=[]))
    assert 'train.json has no objects: train_dataloader.dataset would' in refusal(
        annotated.config()
    )


def test_crowds_alone_teach_nothing(annotated):
    annotated.change('train', edited(iscrowd=1))
    assert 'train.json has crowds alone' in refusal(annotated.config())


# -- boxes ---------------------------------------------------------------------------------


def test_corners_in_place_of_sizes_are_refused(annotated):
    def edit(file):
        for one in file['annotations']:
            x, y, w, h = one['bbox']
            one['bbox'] = [2 * x, y, 2 * x + w, y + h] if 2 * x + w <= 50 else [x, y, x + w, y + h]

    annotated.change('train', edit)
    assert 'the boxes look like x1, y1, x2, y2' in refusal(annotated.config())


@pytest.mark.parametrize('box, pixels', [([-5, 3, 12, 10], '5'), ([45, 3, 12, 10], '7')])
def test_boxes_that_reach_beyond_their_picture_are_counted(annotated, box, pixels):
    annotated.change('train', edited(4, bbox=box))
    note = check_data(annotated.config())[0]
    assert f'of 18 boxes 5 reach beyond their picture, by up to {pixels} pixels' in note
    assert 'the first is annotation 1' in note
    annotated.change('train', edited(1, bbox=box))
    assert 'of 18 boxes 18 reach beyond' in refusal(annotated.config())


def test_boxes_that_are_rounded_are_nobodys_business(annotated):
    annotated.change('train', edited(6, bbox=[-0.4, -1, 50.9, 42]))
    assert not [note for note in check_data(annotated.config()) if 'beyond' in note]


def test_boxes_that_are_there_twice_are_counted(annotated):
    def edit(file):
        first, *_ = file['annotations']
        file['annotations'] += [first | dict(id=90), first | dict(id=91, category_id=6)]
        file['annotations'] += [first | dict(id=92, image_id=2), first | dict(id=93, iscrowd=1)]

    annotated.change('train', edit)
    (note,) = check_data(annotated.config())
    assert 'of 22 boxes 2 are there twice or more on one image (the first is annotation 90)' in note


# -- masks ---------------------------------------------------------------------------------


@pytest.mark.parametrize('mask', [None, []])
def test_masks_are_needed_where_they_are_loaded_alone(annotated, mask):
    annotated.change('train', edited(3, segmentation=mask))
    assert check_data(annotated.config()) == ()
    text = refusal(annotated.config(train=WITH_MASKS))
    assert 'train.json: 6 of 18 objects have no segmentation (the first is annotation 1)' in text
    assert 'set with_mask=False' in text


def test_outlines_that_are_none_are_counted(annotated):
    annotated.change('train', edited(3, segmentation=[[1, 2, 3, 4]]))
    (note,) = check_data(annotated.config(train=WITH_MASKS))
    assert '6 of 18 objects have a segmentation that is neither polygons of three' in note
    annotated.change('train', edited(1, segmentation=[[1, 2, 3, 4]]))
    assert '18 of 18 objects have a seg' in refusal(annotated.config(train=WITH_MASKS))


def test_run_lengths_of_another_size_are_named(annotated):
    whole = dict(counts=[0, 2000], size=[40, 50])
    annotated.change('train', edited(3, segmentation=whole))
    assert check_data(annotated.config()) == ()
    annotated.change('train', edited(3, segmentation=whole | dict(size=[50, 40])))
    with pytest.raises(
        UserError, match=r'annotation 1 are of a mask of height and width \[50, 40\]'
    ):
        check_data(annotated.config())


def test_a_class_without_an_object_is_said(annotated):
    annotated.change('train', edited(category_id=6))
    (note,) = check_data(annotated.config())
    assert note == f'{annotated.path("train")}: of 2 classes 1 have no object: circle.'


@pytest.mark.parametrize(
    'mask', [dict(counts=[10, 20], size=[40, 50]), [[1, 2, 3, 4, 5, float('inf')]]], ids=str
)
def test_masks_that_cannot_be_drawn_are_refused_where_they_are_loaded(annotated, mask):
    annotated.change('train', lambda file: file['annotations'][4].update(segmentation=mask))
    assert check_data(annotated.config()) == ()
    text = refusal(annotated.config(train=WITH_MASKS))
    assert '1 of 18 objects have a segmentation that cannot be drawn' in text
    assert 'the first is annotation 5' in text


def test_areas_larger_than_their_boxes_are_counted(annotated):
    annotated.change('val', edited(step=6, area=1500))
    (line,) = check_data(annotated.config())
    assert 'of 18 objects 3 have an area larger than their box (the first is annotation 1)' in line


def test_a_picture_that_is_several_images_is_said(annotated):
    annotated.change('train', lambda file: file['images'][2].update(file_name='train1.jpg'))
    (line,) = check_data(annotated.config())
    assert '1 pictures are listed as several images (train1.jpg as 2)' in line


def test_a_misspelt_class_is_named_before_numbers_are(annotated):
    annotated.change('train', lambda file: file['categories'][0].update(name=' Circle'))
    text = refusal(annotated.config())
    assert "no category 'circle', which is among the classes of train_dataloader.dataset" in text
    assert "it has ' Circle'" in text
