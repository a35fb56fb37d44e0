"""A copy of a picture is found however it was saved; another picture is not."""

import pytest
from PIL import Image, ImageEnhance

from rethink_det.datasets.similar_pictures import MOST, lookalikes, similar_pictures
from tests.tiny_data import picture


def noise(number, folder):
    """A picture unlike those of other numbers."""
    path = folder / f'{number}.png'
    picture(number, 12, 9).resize((240, 180), Image.Resampling.BICUBIC).save(path)
    return path


COPIES = {
    'compressed': lambda image, path: image.save(path.with_suffix('.jpg'), quality=20),
    'resized': lambda image, path: image.resize((100, 75)).save(path),
    'darker': lambda image, path: ImageEnhance.Brightness(image).enhance(0.6).save(path),
    'grey': lambda image, path: image.convert('L').save(path),
}


@pytest.mark.parametrize('kind', COPIES)
def test_a_copy_is_found(kind, tmp_path):
    held = [noise(number, tmp_path) for number in range(5)]
    (tmp_path / 'train').mkdir()
    COPIES[kind](Image.open(held[3]), tmp_path / 'train/copy.png')
    (copy,) = (tmp_path / 'train').iterdir()
    others = [noise(number, tmp_path) for number in range(10, 15)]
    assert similar_pictures(held, [*others, copy]) == [(held[3], copy)]
    assert similar_pictures(held, others) == []


def test_pictures_without_a_face_have_no_lookalike(tmp_path):
    plain = [tmp_path / 'a.png', tmp_path / 'b.png']
    for path in plain:
        Image.new('RGB', (20, 20), 'red').save(path)
    broken = tmp_path / 'broken.png'
    broken.write_bytes(b'no picture')
    assert similar_pictures(plain, [*plain, broken]) == []
    assert similar_pictures([], plain) == similar_pictures([broken], [broken]) == []


def test_the_line_says_among_how_many(tmp_path):
    paths = [noise(number, tmp_path) for number in range(4)]
    (line,) = lookalikes(paths[:2], paths[1:], 'val')
    assert 'of 2 of 2 pictures of val 1 look like one of 3 of 3 that are trained on' in line
    assert f'({paths[1]} like {paths[1]})' in line
    (line,) = lookalikes(paths[:1] * (MOST + 7), paths, 'test')
    assert f'of {MOST} of {MOST + 7} pictures of test {MOST} look' in line
    assert list(lookalikes(paths[:1], paths[1:], 'val')) == []
