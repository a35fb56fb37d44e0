"""Which two arms a claim is about."""

import pytest

from rethink_det import UserError
from rethink_det.report.comparison import Comparison
from rethink_det.report.schema import read

DATA = {
    'stage': 'classification', 'model': 'resnet56', 'arm': 'scratch-b', 'baseline': 'fine-tune',
    'metric': 'accuracy/top1',
}  # fmt: skip


def test_it_is_told_in_prose():
    comparison = read(Comparison, DATA, 'primary')
    assert str(comparison) == 'Scratch-B against fine-tuning (classification, resnet56)'


def test_a_stage_that_is_none_is_refused():
    with pytest.raises(UserError, match="'stage' is 'tracking', must be one of"):
        read(Comparison, {**DATA, 'stage': 'tracking'}, 'primary')


def test_a_comparison_has_two_sides():
    with pytest.raises(UserError, match="'baseline' is missing"):
        read(Comparison, {k: v for k, v in DATA.items() if k != 'baseline'}, 'primary')
