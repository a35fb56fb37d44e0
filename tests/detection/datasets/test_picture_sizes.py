"""Width and height in the file are those of the picture as it will be read."""

import pytest
from PIL import Image

from rethink_det.detection.datasets import picture_sizes
from rethink_det.detection.datasets.check_data import check_data
from tests.detection.datasets.test_check_data import refusal
from tests.tiny_data import picture


def turn(annotated, turned, names, size=(50, 40)):
    """Give pictures of training the EXIF tag."""
    exif = Image.Exif()
    exif[274] = turned
    for name in names:
        seed = int(name.removeprefix('train').removesuffix('.jpg'))
        picture(seed, *size).save(annotated.root / 'train' / name, exif=exif)


def declare(**changes):
    def edit(file):
        for one in file['images']:
            one.update(changes)

    return edit


def loading(**options):
    """A data set that loads its pictures in that way."""
    return dict(pipeline=[dict(type='mmdet.LoadImageFromFile', **options)])


NAMES = [f'train{i}.jpg' for i in range(1, 7)]
STORED = loading(color_type='color_ignore_orientation')
SHOWN = loading(color_type='color')


def test_a_picture_of_another_size_is_named_with_both(annotated):
    picture(0, 25, 20).save(annotated.root / 'train/train4.jpg')
    text = refusal(annotated.config())
    assert f'1 of 6 pictures are not of the size that {annotated.path("train")} says' in text
    assert f'{annotated.root / "train/train4.jpg"} is 25 x 20 pixels, not 50 x 40' in text


@pytest.mark.parametrize('changes', [dict(width=40, height=50), dict(width=51)])
def test_a_wrong_size_in_the_file_is_named(annotated, changes):
    annotated.change('val', declare(**changes))
    assert '6 of 6 pictures are not of the size' in refusal(annotated.config())


def test_a_turned_picture_must_be_declared_as_it_is_read(annotated):
    turn(annotated, 6, NAMES)
    text = refusal(annotated.config())
    assert 'is 40 x 50 pixels, not 50 x 40. An EXIF tag turns it' in text
    assert (
        "set color_type='color_ignore_orientation' in LoadImageFromFile of train_dataload" in text
    )
    assert check_data(annotated.config(train=STORED)) == ()
    annotated.change('train', declare(width=40, height=50))
    assert check_data(annotated.config()) == check_data(annotated.config(train=SHOWN)) == ()
    assert "set color_type='color' in" in refusal(annotated.config(train=STORED))


@pytest.mark.parametrize('turned, size', [(3, (50, 40)), (2, (50, 40)), (6, (45, 45))])
def test_where_the_size_does_not_tell_the_config_must(annotated, turned, size):
    turn(annotated, turned, NAMES[:2], size)
    if size[0] == size[1]:
        declared = dict(width=45, height=45)
        annotated.change('train', lambda file: [one.update(declared) for one in file['images'][:2]])
    text = refusal(annotated.config())
    assert '2 of 6 pictures of' in text and 'are turned by an EXIF tag (train1.jpg, ...)' in text
    assert "color_type='color' or color_type='color_ignore_orientation'" in text
    for said in (SHOWN, STORED, loading(imdecode_backend='turbojpeg')):
        assert check_data(annotated.config(train=said)) == ()


def test_a_damaged_picture_is_named(annotated):
    (annotated.root / 'val/val2.jpg').write_bytes(b'')
    assert 'val/val2.jpg is no picture that can be read (it is empty)' in refusal(
        annotated.config()
    )


def test_of_many_pictures_a_sample_is_looked_at_and_said(annotated, monkeypatch):
    monkeypatch.setattr(picture_sizes, 'MOST', 2)
    assert check_data(annotated.config())[0] == (
        f'{annotated.path("train")}: the sizes of 2 of 6 pictures, evenly spread, were compared.'
    )
