"""Whatever an annotation file lacks is said, with the entry and what it must be."""

import json

import pytest

from rethink_det.detection.datasets.annotation_file import (
    BAD_MASK,
    BROKEN_MASK,
    NO_MASK,
    POLYGON,
    RLE,
    AnnotationFile,
)
from rethink_det.errors import UserError

BOM, LATIN = '\ufeff'.encode(), 'Bär'.encode('latin-1')


def refusal(annotated, edit=lambda _: None):
    annotated.change('train', edit)
    with pytest.raises(UserError) as error:
        AnnotationFile.read(annotated.path('train'))
    return str(error.value)


def test_what_the_file_says(annotated):
    annotated.change('train', lambda file: file['annotations'][1].pop('iscrowd'))
    file = AnnotationFile.read(annotated.path('train'))
    assert file.images[0] == (1, 'train1.jpg', 50, 40)
    assert file.names == ('circle', 'square')
    assert file.objects.boxes[1].tolist() == [4, 3, 12, 10]
    assert file.objects.areas[1] == 120
    assert file.objects.without_iscrowd == 1 and len(file.objects) == 18
    assert set(file.objects.masks) == {POLYGON}


def test_a_file_is_read_once_and_again_when_it_has_changed(annotated):
    one = AnnotationFile.read(annotated.path('train'))
    assert AnnotationFile.read(annotated.path('train')) is one
    annotated.change('train', lambda file: file['annotations'].pop())
    assert len(AnnotationFile.read(annotated.path('train')).objects) == len(one.objects) - 1


@pytest.mark.parametrize(
    'content',
    [b'{', b'[]', b'{}', b'{"images": 3}', b'{"images": [{"id": 1}]}', b'\x00\xff', b'"images"',
     b'{"images": [3], "categories": []}', b'[' * 100_000],
)  # fmt: skip
def test_file_that_is_no_coco_json_is_refused(annotated, content):
    annotated.path('train').write_bytes(content)
    with pytest.raises(UserError, match='train.json is no COCO annotation file'):
        AnnotationFile.read(annotated.path('train'))


def test_another_encoding_is_said_and_not_the_content(annotated):
    text = json.dumps(annotated.files['train']).encode()
    annotated.path('train').write_bytes(text.replace(b'circle', LATIN) + b' ' * 2_000_000)
    with pytest.raises(UserError, match=r'byte \d+ is not UTF-8. Save it as UTF-8.') as error:
        AnnotationFile.read(annotated.path('train'))
    assert len(str(error.value)) < 300
    annotated.path('train').write_bytes(BOM + text)
    with pytest.raises(UserError, match='without BOM'):
        AnnotationFile.read(annotated.path('train'))


@pytest.mark.parametrize(
    'name, key',
    [
        ('images', 'id'),
        ('images', 'file_name'),
        ('images', 'width'),
        ('images', 'height'),
        ('categories', 'id'),
        ('categories', 'name'),
        ('annotations', 'id'),
        ('annotations', 'image_id'),
        ('annotations', 'category_id'),
        ('annotations', 'bbox'),
        ('annotations', 'area'),
    ],
)
def test_an_entry_without_a_key_is_named(annotated, name, key):
    text = refusal(annotated, lambda file: file[name][1].pop(key))
    assert f'of {len(annotated.files["train"][name])} {name} have no {key}' in text
    assert f'no {key}. It must be' in text


@pytest.mark.parametrize(
    'name, key, value',
    [
        ('images', 'width', 0),
        ('images', 'height', '40'),
        ('images', 'width', True),
        ('images', 'file_name', ''),
        ('categories', 'name', 3),
        ('annotations', 'id', [1]),
        ('annotations', 'area', float('nan')),
        ('annotations', 'area', None),
        ('annotations', 'bbox', []),
        ('annotations', 'bbox', [1, 2, 3]),
        ('annotations', 'bbox', ['1', '2', '3', '4']),
        ('annotations', 'bbox', [float('nan'), 2, 3, 4]),
        ('annotations', 'bbox', [float('inf'), 2, 3, 4]),
        ('annotations', 'bbox', dict(x=1)),
    ],
)
def test_an_entry_with_something_else_there_is_named(annotated, name, key, value):
    text = refusal(annotated, lambda file: file[name][1].update({key: value}))
    assert f'have no {key} that can be used' in text
    assert repr(value)[:20] in text


@pytest.mark.parametrize('name', ['images', 'categories', 'annotations'])
def test_entries_that_share_an_id_are_counted(annotated, name):
    def edit(file):
        for entry in file[name]:
            entry['id'] = 1

    count = len(annotated.files['train'][name])
    text = refusal(annotated, edit)
    assert f'{count - 1} of {count} {name} share their id with a later one, the first is 1' in text


@pytest.mark.parametrize(
    'mask, kind',
    [
        (None, NO_MASK),
        ([], NO_MASK),
        ([[1, 2, 3, 4, 5, 6]], POLYGON),
        ([[1, 2], [1, 2, 3, 4, 5, 6]], POLYGON),
        ([[1, 2, 3, 4]], BAD_MASK),
        ([1, 2, 3, 4, 5, 6], BAD_MASK),
        ('polygon', BAD_MASK),
        (dict(counts='1_n1', size=[40, 50]), RLE),
        (dict(counts='abc', size=[40, 50]), BROKEN_MASK),
        (dict(counts='', size=[40, 50]), BROKEN_MASK),
        (dict(counts=[1, 1999], size=[40, 50]), RLE),
        (dict(counts=[1, 2], size=[40, 50]), BROKEN_MASK),
        (dict(counts=[-1, 2001], size=[40, 50]), BROKEN_MASK),
        (dict(counts=[1.0, 1999.0], size=[40, 50]), BROKEN_MASK),
        (dict(counts=[0, 0], size=[0, 0]), BROKEN_MASK),
        (dict(counts=[1, 2], size=['40', '50']), BROKEN_MASK),
        ([[1, 2, 3, 4, 5, float('nan')]], BROKEN_MASK),
        ([[1, 2, 3, 4, 5, '6']], BROKEN_MASK),
        (dict(counts=None, size=[40, 50]), BAD_MASK),
        (dict(counts='abc', size=40), BAD_MASK),
    ],
    ids=str,
)
def test_kinds_of_masks(annotated, mask, kind):
    annotated.change('train', lambda file: file['annotations'][3].update(segmentation=mask))
    assert AnnotationFile.read(annotated.path('train')).objects.masks[3] == kind
