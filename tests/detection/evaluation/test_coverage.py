"""The interval over test images covers the truth nearly as often as it says.

The table in docs/statistics.md is from this world.
"""

import numpy as np
import pytest

from rethink_det.detection.evaluation.resampled_ap import resampled_ap
from rethink_det.report.image_draws import digest_of, image_draws
from rethink_det.report.paired_bootstrap import paired_interval
from tests.detection.evaluation.detector_world import World

SKILLS = (0.1, 0.0)
"""Of two detectors whose true AP differs by 3 points."""


@pytest.fixture(scope='module')
def world():
    """20,000 images, of which test sets are drawn, and two detectors."""
    made = World(seed=1)
    return made, [made.detector(skill) for skill in SKILLS]


def intervals(world, images, repetitions, draws=200):
    """The truth, and intervals over test sets of so many images."""
    world, detectors = world
    rng = np.random.default_rng(5)
    once, found = [np.ones((images, 1))], []
    for number in range(repetitions):
        chosen = np.sort(rng.choice(world.images, images, replace=False))
        matches = [world.matches(one, chosen) for one in detectors]
        first, second = (resampled_ap(one, once)[0] for one in matches)
        counts = list(image_draws(digest_of([b'%d' % number]), images, draws))
        ours, theirs = (resampled_ap(one, counts).tolist() for one in matches)
        found.append(paired_interval(first - second, ours, theirs, images))
    ours, theirs = (world.ap(one) for one in detectors)
    return ours - theirs, np.array(found)


def coverage(truth, found):
    return ((found[:, 0] <= truth) & (truth <= found[:, 1])).mean()


def test_the_detectors_of_the_world_differ(world):
    made, (better, worse) = world
    assert 0.2 < made.ap(worse) < made.ap(better) < 0.5
    assert 0.02 < made.ap(better) - made.ap(worse) < 0.04


def test_the_interval_covers_the_truth(world):
    """A sample; 40 of it have at least 33 covered in 998 of 1,000 cases."""
    truth, found = intervals(world, images=50, repetitions=40, draws=100)
    assert coverage(truth, found) >= 33 / 40
    assert ((found[:, 1] - found[:, 0]) > 0.02).all()


@pytest.mark.slow
@pytest.mark.parametrize('images', [50, 200])
def test_the_interval_covers_the_truth_nearly_as_often_as_it_says(world, images):
    """Nearly: draws scatter 5 % less than test sets do. 300 repetitions err by 1.4 points."""
    truth, found = intervals(world, images, repetitions=300)
    assert 0.9 <= coverage(truth, found) <= 0.98


@pytest.mark.slow
def test_an_unpaired_interval_would_be_wider(world):
    """What the pairing is for: draws of other images know less of the difference."""
    made, detectors = world
    chosen = np.arange(200)
    matches = [made.matches(one, chosen) for one in detectors]
    ours, theirs = (
        resampled_ap(one, image_draws(digest_of([b'same']), 200)).tolist() for one in matches
    )
    other = resampled_ap(matches[1], image_draws(digest_of([b'other']), 200)).tolist()
    paired, unpaired = (np.diff(paired_interval(0.0, ours, one, 200)) for one in (theirs, other))
    assert unpaired > 1.2 * paired
