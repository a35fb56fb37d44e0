"""Labels in YOLO's format: what a line means, and what none can."""

import pytest

from rethink_det.detection.datasets.yolo_labels import read_labels
from rethink_det.errors import UserError

NAMES = ('ship', 'tree')


def read(folder, text, points=0):
    file = folder / 'photo.txt'
    file.write_text(text)
    return read_labels(file, NAMES, 200, 100, points)


def test_boxes_and_polygons_in_pixels(tmp_path):
    box, polygon = read(tmp_path, '\n1 0.5 0.5 0.25 0.5\n0.0 0.1 0.2 0.3 0.2 0.3 0.6 \n')
    assert box == ('tree', (75, 25, 50, 50), (), False)
    assert polygon.name == 'ship' and polygon.box == pytest.approx((20, 20, 40, 40))
    assert polygon.polygons == ((20, 20, 60, 20, 60, 60),)
    assert read(tmp_path, '\ufeff0 0.5 0.5 0.1 0.1\r\n')[0].name == 'ship'
    assert read(tmp_path, '') == read(tmp_path, ' \n\n') == ()


def test_keypoints_are_left_out(tmp_path):
    (found,) = read(tmp_path, '0 0.5 0.5 0.2 0.2 0.1 0.1 2 0.4 0.4 1', points=6)
    assert found.box == pytest.approx((80, 40, 40, 20)) and not found.polygons


@pytest.mark.parametrize(
    'line, message',
    [
        ('2 0.5 0.5 0.1 0.1', 'photo.txt:2: class 2, but there are 2 names, of the classes 0 to 1'),
        ('-1 0.5 0.5 0.1 0.1', 'class -1'),
        ('0.5 0.5 0.5 0.1 0.1', 'class 0.5'),
        ('0 0.5 0.5 0.1', '4 numbers are neither a box .* nor a polygon'),
        ('0', '1 numbers are neither'),
        ('0 0.5 0.5 0.1 0.1 0.9', 'what a detector found, with its score'),
        ('0 0.5 0.5 0.1 0.1 0.1 0.1 0.1', '8 numbers are neither'),
        ('0 120 40 30 20', '120 is no share of the picture'),
        ('0 0.5 0.5 -0.1 0.1', 'a box of width -0.1'),
        ('0 0.5 nan 0.1 0.1', 'is no line of finite numbers'),
        ('ship 0.5 0.5 0.1 0.1', "'ship 0.5 0.5 0.1 0.1' is no line of finite numbers"),
        ('<annotation>', 'no line of finite numbers'),
    ],
)
def test_a_line_that_makes_no_sense_is_named(line, message, tmp_path):
    with pytest.raises(UserError, match=message):
        read(tmp_path, f'0 0.5 0.5 0.1 0.1\n{line}\n')


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / 'photo.txt').write_bytes(b'\xff\xfe\x00\x01')
    with pytest.raises(UserError, match='it is no text'):
        read_labels(tmp_path / 'photo.txt', NAMES, 200, 100)
