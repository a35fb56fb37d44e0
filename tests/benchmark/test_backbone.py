"""``rethink-det benchmark backbone``: a step of ours beside that of the plain backbone."""

import pytest

from rethink_det import UserError
from rethink_det.benchmark.backbone import against_plain_backbone


def test_a_backbone_is_timed_beside_a_plain_one(command):
    done = command('benchmark', 'backbone', '--rounds', 1)
    assert done.status == 0 and 'ours / peer: ' in done.out, done


def test_no_rounds_are_refused():
    with pytest.raises(UserError, match='at least 1 round'):
        against_plain_backbone(0)
