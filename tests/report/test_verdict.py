"""A sentence of what the seeds settle, and of what they leave open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det.report.run_result import RunResult
from rethink_det.report.statistics import METRICS, groups, summarise
from rethink_det.report.verdict import overall_verdict, verdict
from tests.report.rows import TOP1, classification, row_of


def say(**arms):
    return verdict(summarise(classification(**arms)), 'classification', 'net')


def test_no_measurable_difference_states_what_the_seeds_resolve():
    said = say(fine_tune=[93.0, 93.3, 92.7], scratch_b=[93.2, 93.1, 93.0], scratch_e=[92, 93, 92])
    assert said.case == 'no difference'
    assert said.sentence.startswith('Inherited weights were worth nothing measurable here: ')
    assert 'Scratch-B reached 93.10 ± 0.10 %, fine-tuning 93.00 ± 0.30 %' in said.sentence
    assert '(difference +0.10, 95 % CI −0.56 to +0.76, n = 3)' in said.sentence
    assert 'resolve differences of about ±0.66 points' in said.sentence
    assert 'Scratch-E reached 92.33 ± 0.58' in said.sentence


def test_weights_matter_when_the_interval_lies_on_fine_tunings_side():
    said = say(fine_tune=[93.0, 93.3, 92.7], scratch_b=[91.0, 91.4, 90.6])
    assert said.case == 'weights'
    assert said.sentence.startswith('Inherited weights mattered here, by 2.00 points')


def test_architecture_wins_when_the_interval_lies_on_scratchs_side():
    said = say(fine_tune=[91.0, 91.4, 90.6], scratch_b=[93.0, 93.3, 92.7])
    assert said.case == 'architecture'
    assert said.sentence.startswith('The architecture alone did better here, by 2.00 points')


def test_one_seed_settles_nothing_but_the_difference_is_told():
    said = say(fine_tune=[93.0], scratch_b=[93.1])
    assert said.case == 'unsettled'
    assert 'cannot be settled with n = 1' in said.sentence
    assert '(difference +0.10, n = 1)' in said.sentence


def test_seeds_without_spread_settle_nothing():
    said = say(fine_tune=[93.0, 93.0], scratch_b=[93.1, 93.1])
    assert said.case == 'unsettled' and 'no spread' in said.sentence


def test_scratch_e_decides_only_where_scratch_b_is_absent_and_says_so():
    worse_b = {'fine_tune': [93.0, 93.3, 92.7], 'scratch_b': [91.0, 91.4, 90.6]}
    better_e = [95.0, 95.3, 94.6]
    assert say(**worse_b, scratch_e=better_e).case == 'weights'  # not picked by its score
    alone = say(fine_tune=worse_b['fine_tune'], scratch_e=better_e)
    assert alone.case == 'architecture'
    assert 'Scratch-B, the arm of equal compute, has no completed run' in alone.sentence


@pytest.mark.parametrize(
    ('arms', 'missing'),
    [({'scratch_b': [93.0]}, 'fine-tuning'), ({'fine_tune': [93.0]}, 'training from scratch')],
)
def test_a_missing_side_leaves_the_question_open(arms, missing):
    said = say(**arms)
    assert said.case == 'unsettled' and missing in said.sentence


def test_detection_is_told_in_ap_against_prune_c():
    cells = {'prune-c': (0.310, 0.312, 0.308), 'scratch-b': (0.300, 0.303, 0.297)}
    runs = [
        RunResult('detection', arm, seed, {'coco/bbox_mAP': v, 'coco/segm_mAP': v}, 'mask')
        for arm, values in cells.items()
        for seed, v in enumerate(values)
    ]
    rows = summarise(runs)
    said = verdict(rows, 'detection', 'mask')
    assert 'by 1.0 points: Scratch-B reached 30.0 ± 0.3 AP, Prune-C 31.0 ± 0.2 AP' in said.sentence
    assert row_of(rows, 'scratch-b', 'coco/segm_mAP').difference.baseline == 'prune-c'


def test_the_overall_verdict_counts_the_comparisons():
    fine, low = [93.0, 93.3, 92.7], [91.0, 91.4, 90.6]
    runs = classification('a', fine_tune=fine, scratch_b=low)
    runs += classification('b', fine_tune=fine, scratch_b=[93.2, 93.1, 93.0])
    rows = summarise(runs)
    said = [verdict(rows, *group) for group in groups(rows)]
    text = overall_verdict(said)
    assert 'mattered in 1 of 2 (classification/a)' in text
    assert 'worth nothing measurable in 1 of 2 (classification/b)' in text
    assert overall_verdict(said[:1]) == said[0].sentence
    assert 'Nothing can be said yet' in overall_verdict([])


@given(st.floats(-1, 1))
def test_shown_numbers_have_a_sign_unless_they_show_zero(value):
    text = METRICS['classification'][TOP1].text(value, signed=True)
    assert text[0] in '+−' and '-' not in text
    assert text != '−0.00'
