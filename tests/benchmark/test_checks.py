"""``rethink-det benchmark check``: looking at data is timed, first and once more."""

import re

import pytest


def test_checks_are_timed_with_and_without_what_was_read(command):
    done = command('benchmark', 'check', '--images', 4, '--rounds', 1)
    assert done.status == 0, done
    assert 'check: train and val of 4 images each' in done.out
    times = re.findall(
        r'^  (as read before|first time): median ([\d.]+) ms', done.out, re.MULTILINE
    )
    assert [name for name, _ in times] == ['as read before', 'first time']
    assert all(float(milliseconds) > 0 for _, milliseconds in times)


@pytest.mark.parametrize('images', [0, -3])
def test_no_images_are_refused(refusal, images):
    assert f'got {images}' in refusal('benchmark', 'check', '--images', images)
