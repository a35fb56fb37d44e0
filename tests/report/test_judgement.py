"""What is claimed of a study's comparisons, and for whom."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det import UserError
from rethink_det.arms import ARMS
from rethink_det.report import Comparison, RunResult, StudyResults, judge
from rethink_det.report.judgement import comparisons
from rethink_det.report.outcome import OUTCOMES
from tests.report.rows import TOP1, classification

FINE = [93.0, 93.3, 92.7]
PRIMARY = Comparison('classification', 'net', 'scratch-b', 'fine-tune', TOP1)


def results(runs, **more):
    return StudyResults('s', runs, **more)


def the(verdicts, arm, model='net'):
    (verdict,) = [v for v in verdicts if (v.comparison.arm, v.model) == (arm, model)]
    return verdict


def one(arm='scratch-b', margin=None, **arms):
    margins = {} if margin is None else {TOP1: margin}
    return the(judge(results(classification(**arms), primary=PRIMARY, margin=margins)), arm)


def test_the_interval_decides_which_side_is_better():
    worse = one(fine_tune=FINE, scratch_b=[91.0, 91.4, 90.6])
    assert worse.outcome == 'worse' and worse.difference == pytest.approx(-2.0)
    assert worse.interval[1] < 0 and worse.scope == 'method' and worse.n == 3 and worse.primary
    better = one(fine_tune=[91.0, 91.4, 90.6], scratch_b=FINE)
    assert better.outcome == 'better' and better.interval[0] > 0


def test_absence_of_evidence_is_open_and_says_what_would_settle_it():
    found = one(fine_tune=FINE, scratch_b=[93.2, 93.1, 93.0])
    assert found.outcome == 'open' and found.interval[0] < 0 < found.interval[1]
    assert found.detectable > found.interval[1] - found.difference  # more than the half width
    assert found.needed > 3


def test_equivalence_needs_a_margin_that_holds_the_interval():
    near = dict(fine_tune=FINE, scratch_b=[93.02, 93.29, 92.71])
    assert one(**near).outcome == 'open'
    assert one(**near, margin=0.5).outcome == 'equivalent'
    assert one(**near, margin=0.01).outcome == 'open'


def test_a_difference_that_is_real_and_does_not_matter_is_equivalent():
    small = dict(fine_tune=FINE, scratch_b=[93.1, 93.401, 92.799])
    assert one(**small).outcome == 'better'
    assert one(**small, margin=0.5).outcome == 'equivalent'


def test_a_margin_is_taken_from_the_noise_of_the_test_images_where_none_is_named():
    runs = classification(fine_tune=FINE, scratch_b=[93.02, 93.29, 92.71])
    known = [replace(run, test_images=10_000) for run in runs]
    found = the(judge(results(known, primary=PRIMARY)), 'scratch-b')
    assert found.outcome == 'equivalent' and not found.margin_named
    assert found.noise == pytest.approx(100 * math.sqrt(0.93 * 0.07 / 10_000), rel=1e-2)
    assert found.margin == pytest.approx(2 * found.noise)
    half = [replace(run, test_images=None) if run.arm == 'fine-tune' else run for run in known]
    assert the(judge(results(half, primary=PRIMARY)), 'scratch-b').margin is None


def test_a_named_margin_is_not_widened_by_noise():
    runs = classification(fine_tune=FINE, scratch_b=[93.2, 93.1, 93.0])
    runs = [replace(run, test_images=100) for run in runs]
    found = the(judge(results(runs, margin={TOP1: 0.1})), 'scratch-b')
    assert (found.margin, found.margin_named, found.outcome) == (0.1, True, 'open')


def test_others_are_judged_only_after_the_primary_one():
    open_first = dict(fine_tune=FINE, scratch_b=[93.2, 93.1, 93.0], scratch_e=[91.0, 91.31, 90.68])
    found = one('scratch-e', **open_first)
    assert found.outcome == 'open' and found.interval is None and found.exploratory
    assert found.alone[1] < 0 and found.level == 0 and not found.judged
    settled = dict(open_first, scratch_b=[90.0, 90.31, 89.68])
    assert one('scratch-e', **settled).outcome == 'worse'
    without = results(classification(**open_first))
    assert the(judge(without), 'scratch-e').outcome == 'worse'
    assert not the(judge(without), 'scratch-e').exploratory


def test_a_primary_one_that_has_no_run_leaves_the_others_to_themselves():
    runs = classification(fine_tune=FINE, scratch_e=[91.0, 91.31, 90.68])
    (found,) = judge(results(runs, primary=PRIMARY))
    assert found.outcome == 'worse' and not found.exploratory


def test_the_intervals_of_others_are_wider():
    arms = dict(fine_tune=FINE, scratch_b=[90.0, 90.31, 89.7], scratch_e=[92.9, 93.5, 92.6])
    arms |= dict(lottery=[93.1, 93.2, 92.4])
    found = judge(results(classification(**arms), primary=PRIMARY))
    width = the(found, 'scratch-e').interval[1] - the(found, 'scratch-e').interval[0]
    alone = the(found, 'scratch-e').alone[1] - the(found, 'scratch-e').alone[0]
    assert width > alone
    assert the(found, 'scratch-b').interval == the(found, 'scratch-b').alone


def test_one_given_parent_makes_a_claim_about_it_and_has_no_interval_of_its_own():
    arms = dict(fine_tune=FINE, scratch_b=[91.0, 91.4, 90.6], unpruned=[94.0] * 3)
    runs = [
        replace(run, parent_digest='aa', parent_given=True, digest='aa' * (run.arm == 'unpruned'))
        for run in classification(**arms)
    ]
    found = judge(results([replace(r, digest=r.digest or None) for r in runs], primary=PRIMARY))
    assert {v.scope for v in found} == {'parent'} and all(v.given for v in found)
    assert the(found, 'scratch-b').outcome == 'worse'
    unpruned = the(found, 'unpruned')
    assert unpruned.interval is None and unpruned.n == 1 and unpruned.outcome == 'open'


def test_rows_of_before_tell_a_shared_parent_by_the_unpruned_networks():
    arms = dict(unpruned=[94.0] * 3, fine_tune=FINE, scratch_b=[91.0, 91.4, 90.6])
    runs = [
        replace(run, digest='aa' if run.arm == 'unpruned' else None)
        for run in classification(**arms)
    ]
    assert the(judge(results(runs)), 'scratch-b').scope == 'parent'
    runs = [replace(r, digest=f'a{r.seed}') if r.arm == 'unpruned' else r for r in runs]
    found = the(judge(results(runs)), 'scratch-b')
    assert found.scope == 'method' and found.parents_known


def test_several_parents_are_the_repetitions_of_a_crossed_design():
    runs = [
        RunResult(
            'classification', arm, seed, {TOP1: 90.0 + shift + parent + 0.1 * seed}, 'net',
            parent=f'p{parent}', parent_digest=f'd{parent}',
        )
        for arm, shift in (('fine-tune', 0.0), ('scratch-b', 0.5))
        for parent in range(3)
        for seed in range(4)
    ]  # fmt: skip
    (found,) = judge(results(runs))
    assert found.n == 3 and found.scope == 'method'
    assert found.interval is None  # the same difference thrice: no spread to measure it by


def test_one_network_each_is_about_these_two():
    found = one(fine_tune=[93.0], scratch_b=[93.1])
    assert (found.scope, found.outcome, found.interval) == ('networks', 'open', None)


def test_a_failed_run_is_named_and_its_seed_dropped_from_both():
    runs = classification(fine_tune=FINE, scratch_b=[91.0, 91.4, 90.6])
    runs[-1] = replace(runs[-1], status='failed', metrics={})
    found = the(judge(results(runs, primary=PRIMARY)), 'scratch-b')
    assert found.lost == ('scratch-b seed 2 (failed)',) and found.dropped == (2,)
    assert found.n == 2
    runs[-1] = replace(runs[-1], status='completed', metrics={TOP1: math.nan})
    found = the(judge(results(runs, primary=PRIMARY)), 'scratch-b')
    assert found.lost == ('scratch-b seed 2 (no finite value)',)


def test_an_arm_whose_runs_all_failed_is_in_no_comparison():
    runs = classification(fine_tune=FINE, scratch_b=[1.0])
    runs[-1] = replace(runs[-1], status='failed', metrics={})
    assert judge(results(runs)) == []
    assert judge(results([])) == []


def test_detectors_are_judged_by_their_boxes_and_by_their_masks():
    runs = [
        RunResult('detection', arm, s, {'coco/bbox_mAP': v, 'coco/segm_mAP': 1 - v}, 'mask')
        for arm, values in (('prune-c', (0.31, 0.312, 0.308)), ('scratch-b', (0.30, 0.303, 0.297)))
        for s, v in enumerate(values)
    ]  # fmt: skip
    boxes, masks = judge(results(runs))
    assert boxes.comparison.metric == 'coco/bbox_mAP' and boxes.comparison.baseline == 'prune-c'
    assert boxes.difference == pytest.approx(-0.01)
    assert masks.comparison == replace(boxes.comparison, metric='coco/segm_mAP')
    assert masks.difference == pytest.approx(0.01)
    # Two claims are made, and both hold together at 5 %; after a primary one its masks come second.
    assert min(boxes.level, masks.level) == 0.025
    first, second = judge(results(runs, primary=boxes.comparison))
    assert (first.level, first.exploratory, second.exploratory) == (0.05, False, True)


def test_boxes_have_one_verdict_whoever_evaluates_them():
    values = {'pascal_voc/mAP': 0.5, 'coco/bbox_mAP': 0.3, 'coco/bbox_mAP_50': 0.4}
    runs = [RunResult('detection', arm, 0, values, 'det') for arm in ('prune-c', 'random')]
    assert [v.comparison.metric for v in judge(results(runs))] == ['coco/bbox_mAP']


def test_a_primary_comparison_may_name_its_own_baseline():
    arms = dict(unpruned=FINE, fine_tune=FINE, scratch_b=[91.0, 91.31, 90.68])
    primary = replace(PRIMARY, baseline='unpruned')
    found = judge(results(classification(**arms), primary=primary))
    (first,) = [verdict for verdict in found if verdict.primary]
    assert first.comparison.baseline == 'unpruned' and first.outcome == 'worse'
    assert len(found) == 3


def test_every_arm_but_the_baseline_is_compared_in_the_arms_order():
    runs = classification(scratch_b=[1], unpruned=[1], lottery=[1], fine_tune=[1], scratch_e=[1])
    arms = [c.arm for c in comparisons(runs, 'classification', 'net')]
    assert arms == ['unpruned', 'scratch-e', 'scratch-b', 'lottery']
    assert ARMS.baseline('classification').name not in arms


@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=5),
    st.lists(st.floats(0, 100), min_size=1, max_size=5),
    st.none() | st.floats(0.01, 5),
)
def test_outcome_and_interval_agree(ours, theirs, margin):
    found = one(fine_tune=theirs, scratch_b=ours, margin=margin)
    assert found.outcome in OUTCOMES and isinstance(found.to_dict(), dict)
    low, high = found.interval or (-math.inf, math.inf)
    within = margin is not None and -margin <= low and high <= margin
    expected = 'equivalent' if within else 'better' if low > 0 else 'worse' if high < 0 else 'open'
    assert found.outcome == expected


def test_the_values_are_read_from_the_file_alone(tmp_path):
    written = results(
        classification(fine_tune=FINE, scratch_b=[91.0, 91.4, 90.6]),
        primary=PRIMARY,
        margin={TOP1: 0.3},
    )
    path = written.write(tmp_path)
    read = StudyResults.read(path)
    assert (read.primary, read.margin) == (PRIMARY, {TOP1: 0.3})
    assert judge(read) == judge(written)


@pytest.mark.parametrize('other', [dict(test_digest='b'), dict(test_images=7)])
def test_runs_on_different_test_images_are_not_compared(other):
    runs = [
        replace(run, test_digest='a', test_images=9)
        for run in classification(fine_tune=FINE, scratch_b=[91.0, 91.4, 90.6])
    ]
    assert the(judge(results(runs)), 'scratch-b').outcome == 'worse'
    found = the(judge(results([*runs[:-1], replace(runs[-1], **other)])), 'scratch-b')
    assert found.outcome == 'open' and found.interval is None and not found.same_test
    sentence = results([*runs[:-1], replace(runs[-1], **other)]).conclusions[0].sentence
    assert 'evaluated on different test images' in sentence


def test_a_given_parent_whose_digest_is_not_told_is_one_all_the_same():
    arms = dict(unpruned=[94.0] * 3, fine_tune=FINE, scratch_b=[91.0, 91.4, 90.6])
    runs = [replace(run, parent_given=True) for run in classification(**arms)]
    found = judge(results(runs))
    assert {v.scope for v in found} == {'parent'}
    assert the(found, 'unpruned').interval is None


@pytest.mark.parametrize('margin', [0.0, -1.0, math.inf, math.nan])
def test_a_margin_that_holds_nothing_or_everything_is_refused(margin):
    with pytest.raises(UserError, match='margin of accuracy/top1 must be a positive number'):
        judge(results(classification(fine_tune=FINE), margin={TOP1: margin}))


def test_two_runs_that_are_the_same_are_refused():
    with pytest.raises(UserError, match='two completed runs are classification / net / lottery'):
        judge(results(classification(lottery=[1.0]) * 2))


@pytest.mark.parametrize(
    ('broken', 'words'),
    [
        ('"margin": {"accuracy/top1": "wide"}', "'margin.accuracy/top1' is 'wide', must be a fin"),
        ('"primary": {"stage": "classification"}', "'primary.model' is missing"),
    ],
)
def test_a_margin_or_a_primary_comparison_of_another_kind_is_refused(tmp_path, broken, words):
    (tmp_path / 'results.json').write_text(f'{{"study": "s", "runs": [], {broken}}}')
    with pytest.raises(UserError, match=words):
        StudyResults.read(tmp_path)
