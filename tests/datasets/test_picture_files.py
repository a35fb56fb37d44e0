"""What a picture's header says, that damaged files are named, and files of the same content."""

import warnings

import numpy as np
import pytest
from PIL import Image

from rethink_det.datasets.picture_files import Header, read_header, same_pictures, spread
from rethink_det.errors import UserError
from tests.tiny_data import picture


def saved(path, turned=None, seed=0, **options):
    exif = Image.Exif()
    if turned:
        exif[274] = turned
    picture(seed, 50, 40).save(path, exif=exif, **options)
    return path


@pytest.mark.parametrize('suffix', ['jpg', 'png', 'webp'])
@pytest.mark.parametrize('turned', [None, 1, 2, 3, 6, 8])
def test_size_and_orientation(tmp_path, suffix, turned):
    header = read_header(saved(tmp_path / f'a.{suffix}', turned))
    assert header == Header(50, 40, turned or 1)
    assert header.shown == ((40, 50) if turned in (6, 8) else (50, 40))


@pytest.mark.parametrize('mode', ['L', 'RGBA', 'P', 'CMYK', '1', 'I;16'])
def test_every_depth_is_read(tmp_path, mode):
    image = Image.fromarray(np.zeros((40, 50), np.uint16)) if mode == 'I;16' else picture(0)
    path = tmp_path / ('a.jpg' if mode == 'CMYK' else 'a.png')
    (image if mode == 'I;16' else image.convert(mode)).save(path)
    assert read_header(path) == Header(50, 40)


@pytest.mark.parametrize('turned', [0, 9, 'six'])
def test_an_orientation_that_there_is_not_turns_nothing(tmp_path, turned):
    path = saved(tmp_path / 'a.jpg', 6)
    content = path.read_bytes()
    if turned != 'six':
        at = content.index(bytes([0x01, 0x12]))  # tag 274; type 3, one value
        content = content[: at + 8] + bytes([0, turned]) + content[at + 10 :]
    else:
        content = content.replace(b'MM\x00*', b'XX\x00*')
    path.write_bytes(content)
    assert read_header(path) == Header(50, 40)


def test_very_large_pictures_are_no_attack(tmp_path):
    Image.new('1', (20_000, 20_000)).save(tmp_path / 'a.png')
    limit = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert read_header(tmp_path / 'a.png') == Header(20_000, 20_000)
    assert limit == Image.MAX_IMAGE_PIXELS


def test_what_follows_a_picture_does_not_matter(tmp_path):
    path = saved(tmp_path / 'a.jpg')
    path.write_bytes(path.read_bytes() + bytes(500))
    assert read_header(path) == Header(50, 40)


@pytest.mark.parametrize('suffix', ['jpg', 'png'])
@pytest.mark.parametrize('share', [0.1, 0.5, 0.95])
def test_a_picture_that_ends_early_is_named(tmp_path, suffix, share):
    path = saved(tmp_path / f'a.{suffix}')
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UserError, match=rf'a.{suffix} is no picture that can be read .*fetch it'):
        read_header(path)


@pytest.mark.parametrize('content, reason', [(b'', 'empty'), (b'<html>404</html>', 'cannot id')])
def test_what_is_no_picture_is_named(tmp_path, content, reason):
    path = tmp_path / 'a.jpg'
    path.write_bytes(content)
    with pytest.raises(UserError, match=f'a.jpg is no picture that can be read .*{reason}'):
        read_header(path)
    with pytest.raises(UserError, match='b.jpg does not exist'):
        read_header(tmp_path / 'b.jpg')


def test_same_content_is_found_under_any_name(tmp_path):
    first = [saved(tmp_path / f'a{i}.png', seed=i) for i in range(4)]
    second = [saved(tmp_path / f'b{i}.png', seed=i) for i in range(2, 6)]
    assert same_pictures(first, second) == [(first[2], second[0]), (first[3], second[1])]
    assert same_pictures(first, first[:1]) == [(first[0], first[0])]
    assert same_pictures(first[:2], second) == same_pictures([], second) == []


def test_one_different_byte_is_another_picture(tmp_path):
    one, other = tmp_path / 'one.bmp', tmp_path / 'other.bmp'
    picture(0).save(one)
    content = bytearray(one.read_bytes())
    content[-1] ^= 1  # the middles are the same
    other.write_bytes(content)
    assert same_pictures([one], [other]) == []


def test_spread_takes_evenly():
    assert spread(range(10), 20) == list(range(10))
    assert spread(range(10), 5) == [0, 2, 4, 6, 8]
    assert len(spread(range(1007), 100)) == 100
