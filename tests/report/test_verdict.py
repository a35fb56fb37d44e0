"""Sentences: what the runs settle, for whom, and what they leave open."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det.report import Comparison, RunResult, StudyResults
from rethink_det.report.statistics import METRICS, summarise
from rethink_det.report.tables import metric_table
from rethink_det.report.training_facts import TrainingFacts
from rethink_det.report.verdict import confidence, overall_verdict, sentence_of
from tests.report.rows import TOP1, classification

FINE = [93.0, 93.3, 92.7]
LOW = [91.0, 91.4, 90.6]
PRIMARY = Comparison('classification', 'net', 'scratch-b', 'fine-tune', TOP1)


def results(runs, margin=None, **more):
    margins = {} if margin is None else {TOP1: margin}
    return StudyResults('s', runs, margin=margins, **{'primary': PRIMARY, **more})


def say(margin=None, **arms):
    (said,) = results(classification(**arms), margin).conclusions
    return said


def test_what_is_open_states_what_could_have_been_found_and_what_would_settle_it():
    said = say(fine_tune=FINE, scratch_b=[93.2, 93.1, 93.0], scratch_e=[92, 93, 92])
    assert said.outcome == 'open'
    start = 'Whether inherited weights mattered is not settled here: '
    assert said.sentence.startswith(start)
    assert 'Scratch-B reached 93.10 ± 0.10 %, fine-tuning 93.00 ± 0.30 %' in said.sentence
    assert '(difference +0.10, 95 % CI −0.56 to +0.76, n = 3)' in said.sentence
    assert '80 % of such studies would find a difference of 0.86 points' in said.sentence
    assert 'about 57 repetitions the one that was seen' in said.sentence
    assert 'Scratch-E reached 92.33 ± 0.58 (difference −0.67, n = 3: not settled)' in said.sentence
    assert 'nothing' not in said.sentence


def test_weights_matter_when_the_interval_lies_on_fine_tunings_side():
    said = say(fine_tune=FINE, scratch_b=LOW)
    assert said.outcome == 'worse'
    assert said.sentence.startswith('Inherited weights mattered, by 2.00 points here (whether')


def test_architecture_wins_when_the_interval_lies_on_scratchs_side():
    said = say(fine_tune=LOW, scratch_b=FINE)
    assert said.outcome == 'better'
    assert said.sentence.startswith(
        'The architecture alone did better, by 2.00 points here (whether'
    )


def test_worth_nothing_is_said_where_equivalence_was_shown_and_within_what():
    said = say(0.5, fine_tune=FINE, scratch_b=[93.02, 93.29, 92.71])
    assert said.outcome == 'equivalent'
    words = 'Inherited weights were worth nothing that matters, within ±0.50 points here: '
    assert said.sentence.startswith(words)


def test_a_margin_that_nobody_named_is_explained():
    runs = classification(fine_tune=FINE, scratch_b=[93.02, 93.29, 92.71])
    (said,) = results([replace(run, test_images=10_000) for run in runs]).conclusions
    assert 'the margin is twice the standard error that the test images give' in said.sentence


def test_one_run_settles_nothing_but_the_difference_is_told():
    said = say(fine_tune=[93.0], scratch_b=[93.1])
    assert said.outcome == 'open'
    assert 'not settled between these two networks' in said.sentence
    assert 'with one run of an arm, and no resampled test images' in said.sentence
    assert '(difference +0.10, n = 1)' in said.sentence


def test_runs_without_spread_settle_nothing():
    said = say(fine_tune=[93.0, 93.0], scratch_b=[93.1, 93.1])
    assert said.outcome == 'open' and 'no spread' in said.sentence


def test_a_parent_that_was_given_is_in_the_sentence():
    runs = classification(fine_tune=FINE, scratch_b=LOW)
    runs = [replace(run, parent_digest='aa', parent_given=True) for run in runs]
    (said,) = results(runs).conclusions
    assert 'the compute of its training is unknown (parent_epochs=' in said.sentence
    words = 'by 2.00 points for this parent (given: how its training varies is unknown) (whether'
    assert words in said.sentence


def test_parents_that_are_not_recorded_are_said_to_be():
    assert (
        'which runs share a parent is not recorded' in say(fine_tune=FINE, scratch_b=LOW).sentence
    )
    runs = [
        replace(run, parent_digest=f'a{run.seed}')
        for run in classification(fine_tune=FINE, scratch_b=LOW)
    ]
    assert 'which runs share' not in results(runs).conclusions[0].sentence


def test_a_failed_run_and_its_lost_partner_are_in_the_sentence():
    runs = classification(fine_tune=FINE, scratch_b=LOW)
    runs[-1] = replace(runs[-1], status='failed', metrics={})
    (said,) = results(runs).conclusions
    assert 'seeds of one arm only are left out of the difference: 2' in said.sentence
    assert 'without a result: scratch-b seed 2 (failed)' in said.sentence


def test_scratch_e_decides_only_where_scratch_b_is_absent_and_says_so():
    worse_b = {'fine_tune': FINE, 'scratch_b': LOW}
    better_e = [95.0, 95.31, 94.6]
    assert say(**worse_b, scratch_e=better_e).outcome == 'worse'  # not picked by its score
    alone = say(fine_tune=FINE, scratch_e=better_e)
    assert alone.outcome == 'better'
    assert 'Scratch-B, the arm of equal compute, has no completed run' in alone.sentence


@pytest.mark.parametrize(
    ('arms', 'missing'),
    [({'scratch_b': [93.0]}, 'fine-tuning'), ({'fine_tune': [93.0]}, 'training from scratch')],
)
def test_a_missing_side_leaves_the_question_open(arms, missing):
    said = say(**arms)
    assert said.outcome == 'open' and missing in said.sentence


def test_detection_is_told_in_ap_against_prune_c():
    cells = {'prune-c': (0.310, 0.312, 0.308), 'scratch-b': (0.300, 0.303, 0.297)}
    runs = [
        RunResult('detection', arm, seed, {'coco/bbox_mAP': v, 'coco/segm_mAP': v}, 'mask')
        for arm, values in cells.items()
        for seed, v in enumerate(values)
    ]
    (said,) = results(runs, primary=None).conclusions
    words = 'Scratch-B reached 30.0 ± 0.3 AP, Prune-C 31.0 ± 0.2 AP'
    assert words in said.sentence and 'xploratory' not in said.sentence


def test_what_comes_after_the_primary_comparison_is_called_exploratory():
    runs = classification('net', fine_tune=FINE, scratch_b=LOW)
    runs += classification('other', fine_tune=FINE, scratch_b=[90.0, 90.5, 89.5])
    first, other = results(runs).conclusions
    assert first.sentence.startswith('Inherited weights mattered')
    assert other.sentence.startswith('Exploratory: inherited weights mattered')
    assert '97.5 % CI' not in first.sentence
    runs = classification('net', fine_tune=FINE, scratch_b=[93.2, 93.1, 93.0])
    runs += classification('other', fine_tune=FINE, scratch_b=[90.0, 90.5, 89.5])
    _, other = results(runs).conclusions
    assert other.outcome == 'open'
    assert 'it is not judged, as the primary comparison is open' in other.sentence


def test_the_overall_verdict_leads_with_the_primary_comparison_and_counts_all():
    runs = classification('a', fine_tune=FINE, scratch_b=LOW)
    runs += classification('b', fine_tune=FINE, scratch_b=[93.2, 93.1, 93.0])
    study = results(runs, primary=replace(PRIMARY, model='a'))
    text = overall_verdict(study.conclusions, study.verdicts)
    assert text.startswith(study.conclusions[0].sentence)
    assert 'mattered in 1 of 2 (classification a)' in text
    assert 'could not be judged in 1 of 2 (classification b)' in text
    assert overall_verdict(study.conclusions[:1]) == study.conclusions[0].sentence
    assert 'Nothing can be said yet' in overall_verdict([])


@pytest.mark.parametrize(
    ('level', 'text'), [(0.05, '95 %'), (0.025, '97.5 %'), (0.05 / 6, '99.17 %')]
)
def test_confidence_is_what_is_not_missed(level, text):
    assert confidence(level) == text


@given(st.floats(-1, 1))
def test_shown_numbers_have_a_sign_unless_they_show_zero(value):
    text = METRICS['classification'][TOP1].text(value, signed=True)
    assert text[0] in '+−' and '-' not in text
    assert text != '−0.00'


def facts(**known):
    same = dict(
        data='cifar', data_digest='d', images=50, augmentation='a', epochs=160, batch_size=8
    )
    same |= dict(lr=0.1, schedule='steps', optimizer='SGD', prunings=1, batch_size=8)
    return TrainingFacts(**{**same, **known})


@pytest.mark.parametrize(
    ('epochs', 'words'),
    [(160, 'by 2.00 points here: '), (40, 'by 2.00 points here (each by its own epochs): ')],
)
def test_better_across_schedules_is_said_to_be_across_schedules(epochs, words):
    runs = [
        replace(run, training=facts(epochs=epochs if run.arm == 'fine-tune' else 160))
        for run in classification(fine_tune=FINE, scratch_b=LOW)
    ]
    (said,) = results(runs).conclusions
    assert words in said.sentence
    assert 'arXiv 2301.05219' in said.sentence


def test_arms_whose_facts_are_not_recorded_are_said_to_be():
    assert 'not recorded' in say(fine_tune=FINE, scratch_b=LOW).sentence


def test_a_primary_comparison_of_another_baseline_leads_and_takes_no_others_place():
    runs = classification(unpruned=[95.0, 95.31, 94.68], fine_tune=FINE, scratch_b=[93.2, 93.1, 93])
    study = results(runs, primary=replace(PRIMARY, baseline='unpruned'))
    (said,) = study.conclusions
    assert said.sentence.startswith('Scratch-B did worse than the unpruned network, by 1.90 points')
    beside = '; Scratch-B reached 93.10 ± 0.10 (against fine-tuning, difference +0.10, '
    assert beside in said.sentence
    table = metric_table(study.summary, runs, study.verdicts)
    row = dict(zip(table.columns, table.rows[-1], strict=True))
    assert row['difference to fine-tune'] == '+0.10'


def test_a_primary_comparison_by_another_metric_shows_that_metric():
    cells = {'prune-c': (0.310, 0.312, 0.308), 'scratch-b': (0.300, 0.303, 0.297)}
    runs = [
        RunResult('detection', arm, seed, {'coco/bbox_mAP': v, 'coco/segm_mAP': v / 2}, 'mask')
        for arm, values in cells.items()
        for seed, v in enumerate(values)
    ]
    primary = Comparison('detection', 'mask', 'scratch-b', 'prune-c', 'coco/segm_mAP')
    (said,) = results(runs, primary=primary).conclusions
    told, _, beside = said.sentence.partition('; Scratch-B ')
    assert 'Scratch-B reached 15.0 ± 0' in told and 'Prune-C 15.5 ± 0' in told
    assert '(difference −0.5, ' in told
    assert beside.startswith('reached Box AP 30.0 ± 0.3 (difference −1.0,')


def test_rewinding_is_told_by_its_weights_and_against_its_twin():
    runs = classification(fine_tune=LOW, scratch_e=LOW, scratch_b=LOW, rewind=FINE)
    epochs = {'scratch-b': 9}
    runs = [replace(run, epochs=epochs.get(run.arm, 4)) for run in runs]
    told = {v.comparison.arm: v for v in results(runs).verdicts}
    assert told['rewind'].comparison.baseline == 'scratch-e'
    assert told['rewind'].outcome == 'better' and told['rewind'].usual
    assert 'nherited weights mattered, by 2.00 points' in sentence_of(
        told['rewind'], summarise(runs)
    )
    longer = [replace(run, epochs=9) if run.arm == 'rewind' else run for run in runs]
    told = {v.comparison.arm: v for v in results(longer).verdicts}
    assert told['rewind'].comparison.baseline == 'scratch-b'


def test_prune_d_is_told_by_the_detector_of_its_shape_and_compute():
    runs = [
        RunResult('detection', arm, seed, {'coco/bbox_mAP': value}, 'det')
        for arm, values in {
            'unpruned-d': [0.42, 0.43, 0.41],
            'prune-d': [0.40, 0.41, 0.39],
            'scratch-d': [0.30, 0.32, 0.28],
            'random': [0.20, 0.21, 0.19],
        }.items()
        for seed, value in enumerate(values)
    ]
    primary = Comparison('detection', 'det', 'scratch-d', 'prune-d', 'coco/bbox_mAP')
    study = results(runs, primary=primary)
    against = {v.comparison.arm: v.comparison.baseline for v in study.verdicts}
    assert against == dict.fromkeys(['unpruned-d', 'scratch-d', 'random'], 'prune-d')
    (said,) = study.conclusions
    assert said.sentence.startswith('Inherited weights mattered, by 10.0 points here')
    assert 'Scratch-D reached 30.0 ± 2.0 AP, Prune-D 40.0 ± 1.0 AP' in said.sentence
    assert '; Unpruned-D reached 42.0 ± 1.0 (difference +2.0, ' in said.sentence
    assert 'no completed run' not in said.sentence
