"""What mmdet leaves out is counted as mmdet does it, said, and refused if too little is left."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.datasets import CocoDataset

from rethink_det.detection.datasets.annotation_file import AnnotationFile
from rethink_det.detection.datasets.left_out import check_left_out, reasons
from rethink_det.errors import UserError
from tests.detection.datasets.annotated import NAMES


def notes(annotated, edit, classes=NAMES, **filters):
    annotated.change('train', edit)
    file = AnnotationFile.read(annotated.path('train'))
    return list(check_left_out(file, classes, filters, 'train_dataloader.dataset'))


def every(step, **changes):
    def edit(file):
        for one in file['annotations'][::step]:
            one.update(changes)

    return edit


@pytest.mark.parametrize(
    'changes, told',
    [
        (dict(area=0), '6 of area 0'),
        (dict(area=-3), '6 of negative area'),
        (dict(bbox=[5, 5, 0, 9]), '6 less than a pixel wide or high'),
        (dict(bbox=[0.2, 0.3, 0.1, 0.2]), '6 less than a pixel wide or high'),
        (dict(bbox=[5, 5, -8, 9]), '6 of negative width or height'),
        (dict(bbox=[500, 5, 8, 9]), '6 outside their picture'),
        (dict(bbox=[5, -50, 8, 9]), '6 outside their picture'),
        (dict(ignore=1), "6 marked 'ignore'"),
    ],
)
def test_a_third_is_said(annotated, changes, told):
    (note,) = notes(annotated, every(3, **changes))
    expected = f'{annotated.path("train")}: of 18 objects 6 are left out: {told}'
    assert note == f'{expected} (the first is annotation 1).'


def test_several_reasons_are_counted_apart(annotated):
    def edit(file):
        every(6, area=0)(file)
        every(9, bbox=[99, 99, 9, 9])(file)

    (note,) = notes(annotated, edit)
    assert 'of 18 objects 4 are left out: 2 outside their picture, 2 of area 0' in note


@pytest.mark.parametrize('step', [1, 2])
def test_too_many_are_refused_with_what_to_do(annotated, step):
    def edit(file):
        every(step, area=0)(file)
        file['annotations'][1]['area'] = 0

    with pytest.raises(UserError, match='left out: 1[08] of area 0.*too little: set area to the'):
        notes(annotated, edit)


def test_objects_of_other_classes_may_be_many_but_not_all(annotated):
    def edit(file):
        for one in file['annotations'][1:]:
            one['category_id'] = 6

    assert 'of 18 objects 17 are left out' in notes(annotated, edit, classes=('circle',))[0]
    with pytest.raises(UserError, match='18 of classes that are not learnt'):
        notes(annotated, every(1, category_id=6), classes=('circle',))


def test_images_without_objects_are_said_with_what_becomes_of_them(annotated):
    def edit(file):
        file['annotations'] = file['annotations'][:-3]
        for one in file['annotations'][:3]:
            one['area'] = 0

    objects, empty, robbed = notes(annotated, edit)
    assert 'of 15 objects 3 are left out' in objects
    assert 'of 6 images 1 (train6.jpg) is without objects and taken as pictures of' in empty
    assert 'of 6 images 1 (train1.jpg) is taken as pictures of nothing, because all' in robbed
    assert 'left out (filter_empty_gt)' in notes(annotated, lambda _: 0, filter_empty_gt=True)[1]


def test_small_pictures_are_said(annotated):
    def edit(file):
        file['images'][0].update(width=20)

    objects, images = notes(annotated, edit, min_size=32)
    assert '3 on pictures smaller than min_size' in objects
    assert 'of 6 images 1 (train1.jpg) is smaller than min_size and left out' in images
    with pytest.raises(UserError, match="change filter_cfg's min_size"):
        notes(annotated, edit, min_size=64)


numbers = st.one_of(st.integers(-20, 80), st.sampled_from([0, 0.5, 0.99, 1]))
objects = st.lists(
    st.tuples(
        *[numbers] * 4, st.integers(-1, 3), st.booleans(), st.sampled_from([5, 6, 7])
    ),
    min_size=1,
    max_size=8,
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(objects, st.booleans())
def test_the_same_objects_are_left_out_as_by_mmdet(tmp_path_factory, drawn, small):
    path = tmp_path_factory.mktemp('drawn') / 'train.json'
    annotations = [
        dict(id=i, image_id=i % 2, bbox=row[:4], area=row[4], ignore=row[5], category_id=row[6])
        for i, row in enumerate(drawn)
    ]
    images = [dict(id=i, file_name=f'{i}.jpg', width=60 - 40 * i, height=50) for i in range(2)]
    categories = [dict(id=i, name=name) for i, name in zip((5, 6, 7), 'abc', strict=True)]
    path.write_text(json.dumps(dict(images=images, annotations=annotations, categories=categories)))
    filters = dict(min_size=30) if small else {}
    file = AnnotationFile.read(path)
    out = np.zeros(len(drawn), int)
    for which in reasons(file, ('a', 'b'), filters).values():
        out += which
    loaded = CocoDataset(
        ann_file=str(path),
        data_prefix=dict(img=''),
        metainfo=dict(classes=('a', 'b')),
        filter_cfg=filters,
        pipeline=[],
    )
    kept = sum(len(loaded.get_data_info(i)['instances']) for i in range(len(loaded)))
    assert out.max() <= 1
    assert kept == (out == 0).sum()


def test_what_is_judged_is_said_to_count(annotated):
    annotated.change('val', every(3, area=0))
    file = AnnotationFile.read(annotated.path('val'))
    (note,) = check_left_out(file, NAMES, {}, 'val_dataloader.dataset', trained=False)
    assert '6 of area 0' in note and note.endswith('A metric that reads this file counts them.')
