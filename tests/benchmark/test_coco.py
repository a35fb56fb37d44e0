"""``rethink-det benchmark coco``: both metrics are timed, and find the same."""

import re

import pytest


def test_both_metrics_are_timed_on_boxes_and_masks_and_agree(command):
    done = command('benchmark', 'coco', '--images', 3, '--rounds', 1)
    assert done.status == 0, done
    for kind in ('bbox', 'segm'):
        found = re.findall(rf'^  (ours|mmdet): (coco/{kind}_mAP .+)$', done.out, re.MULTILINE)
        assert [name for name, _ in found] == ['ours', 'mmdet']
        assert found[0][1] == found[1][1]
        assert 0 < float(re.search(r'_mAP ([\d.]+)', found[0][1])[1]) < 1
    assert 'coco: masks to RLE, 3 images x 80 masks' in done.out
    assert len(re.findall(r'ours / mmdet: [\d.]+ of medians, .* of 1 pairs', done.out)) == 3


def test_no_rounds_are_refused(refusal):
    assert 'at least 1 round' in refusal('benchmark', 'coco', '--images', 2, '--rounds', 0)


@pytest.mark.parametrize('images', [0, -1])
def test_no_images_are_refused(refusal, images):
    assert f'got {images}' in refusal('benchmark', 'coco', '--images', images)
