"""Boxes and masks are drawn where they are, the surest on top."""

import numpy as np
from PIL import Image

from rethink_det.report.contact_sheet import CELL, COLOURS, contact_sheet
from rethink_det.report.sample_pictures import SamplePictures
from rethink_det.report.schema import read
from tests.report.sheets import sheet


def drawn_of(found):
    """The sheet of arms, each a seed and what its run left."""
    return contact_sheet(
        {arm: (seed, read(SamplePictures, said, arm)) for arm, (seed, said) in found.items()}
    )


def colour(image, place):
    return np.array(image.getpixel(place), int)


def test_boxes_and_masks_are_drawn_where_they_are():
    drawn = drawn_of({'prune-c': (0, sheet(0.9))})
    truth, found = drawn.rows[0][1]
    wanted = np.array([int(COLOURS[1][i : i + 2], 16) for i in (1, 3, 5)])
    scale = CELL / 96
    edge, middle, outside = (
        (round(scale * x), round(scale * y)) for x, y in [(48, 36), (48, 24), (5, 5)]
    )
    for cell in (truth, found):
        assert np.abs(colour(cell.image, edge) - wanted).max() < 60
        mixed = 0.45 * wanted + 0.55 * 0x40
        assert np.abs(colour(cell.image, middle) - mixed).max() < 12
        assert np.abs(colour(cell.image, outside) - 0x40).max() < 12


def test_where_masks_overlap_the_surest_is_seen():
    doubled = sheet(0.9)
    found = doubled['images'][0]['found']
    found.update({key: 2 * found[key] for key in ('boxes', 'masks')}, labels=[1, 0])
    found['scores'] = [0.9, 0.5]
    _, once = drawn_of({'prune-c': (0, sheet(0.9))}).rows[0][1]
    _, twice = drawn_of({'prune-c': (0, doubled)}).rows[0][1]
    middle = CELL // 2, CELL // 4
    assert np.abs(colour(twice.image, middle) - colour(once.image, middle)).max() < 3


def test_masks_of_the_truth_are_left_out_where_none_are_compared():
    truth, _ = drawn_of({'prune-c': (0, sheet(0.9, masks=False))}).rows[0][1]
    assert np.abs(colour(truth.image, (CELL // 2, CELL // 4)) - 0x40).max() < 12


def test_an_arm_that_has_not_seen_an_image_leaves_its_place_empty(tmp_path):
    other = sheet(0.9)
    other['images'] = other['images'][1:]
    drawn = drawn_of({'prune-c': (0, sheet(0.9)), 'random': (1, other)})
    assert [cell is None for cell in drawn.rows[0][1]] == [False, False, True]
    assert 'seed 0, 1' in drawn.note
    image = Image.open(drawn.save(tmp_path / 'new' / 'sheet.png'))
    assert image.width > 3 * CELL
    assert contact_sheet({}) is None
