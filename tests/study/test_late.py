"""What is claimed is settled before there are results; what was changed since is said, for good."""

from dataclasses import replace

import pytest

from rethink_det.errors import UserError
from rethink_det.report import Comparison, StudyResults, judge
from rethink_det.study.late import settled_late
from tests.report.rows import TOP1, classification

FINE, HIGH = [91.0, 91.4, 90.6], [93.0, 93.3, 92.7]
FIRST = Comparison('classification', 'net', 'scratch-b', 'fine-tune', TOP1)
OTHER = replace(FIRST, arm='scratch-e')


@pytest.fixture
def before(tmp_path):
    """Writes the results of a study with such claims."""

    def write(primary=FIRST, margin=(), runs=True, **late):
        arms = dict(fine_tune=FINE, scratch_e=HIGH, scratch_b=HIGH) if runs else {}
        runs = classification(**arms)
        StudyResults('mine', runs, primary=primary, margin=dict(margin), **late).write(tmp_path)

    return write


def late(study, tmp_path):
    return tuple(settled_late(study, tmp_path))


def test_what_stays_as_it_was_is_not_late(load, before, tmp_path):
    assert late(load(), tmp_path) == (False, False)  # the first time
    before()
    assert late(load(), tmp_path) == (False, False)
    before(margin={TOP1: 0.5})
    assert late(load(margin={TOP1: 0.5}), tmp_path) == (False, False)


def test_what_is_changed_after_results_is_late_and_stays_so(load, before, tmp_path):
    before()
    assert late(load(primary=dict(arm='scratch-e')), tmp_path) == (True, False)
    assert late(load(margin=0.5), tmp_path) == (False, True)
    before(margin={TOP1: 0.5})
    assert late(load(), tmp_path) == (False, True)
    before(OTHER, primary_late=True, margin_late=True)
    assert late(load(primary=dict(arm='scratch-e')), tmp_path) == (True, True)


def test_before_there_are_results_anything_may_change(load, before, tmp_path):
    before(OTHER, runs=False)
    assert late(load(margin=0.5), tmp_path) == (False, False)


def test_a_comparison_that_is_left_out_was_not_changed(load, before, tmp_path):
    before()
    only = load(classification=dict(arms=['fine-tune', 'scratch-e']))
    assert late(only, tmp_path) == (False, False)


def test_a_late_primary_comparison_is_judged_like_all_others_and_says_so():
    runs = classification(fine_tune=FINE, scratch_e=[91.2, 91.3, 90.9], scratch_b=HIGH)
    study = StudyResults('mine', runs)
    early = {v.comparison.arm: v for v in judge(replace(study, primary=FIRST))}
    told = {v.comparison.arm: v for v in judge(replace(study, primary=FIRST, primary_late=True))}
    assert early['scratch-b'].level > told['scratch-b'].level
    assert not told['scratch-e'].exploratory and early['scratch-e'].exploratory
    assert 'another comparison was the primary one' in told['scratch-b'].late
    assert (early['scratch-b'].late, told['scratch-e'].late) == ('', '')
    (said,) = replace(study, primary=FIRST, primary_late=True).conclusions
    assert 'another comparison was the primary one when there were results' in said.sentence


def test_a_late_margin_is_in_the_sentence(tmp_path):
    runs = classification(fine_tune=FINE, scratch_b=[91.1, 91.4, 90.6])
    study = StudyResults('mine', runs, margin={TOP1: 2.0}, primary=FIRST, margin_late=True)
    study.write(tmp_path)
    (said,) = StudyResults.read(tmp_path).conclusions
    assert said.outcome == 'equivalent'
    assert 'the margin was another one when there were results' in said.sentence


def test_a_margin_that_is_none_is_refused_before_anything_is_compared(load):
    with pytest.raises(UserError, match='study.margin must be above 0'):
        load(margin=-1.0)
