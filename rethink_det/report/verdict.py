"""The verdict: what the statistics say of inherited weights, in a plain sentence."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rethink_det.arms import ARMS
from rethink_det.report.statistics import (
    METRICS,
    Difference,
    Row,
    interval,
    mean_std,
    primary_metric,
)


@dataclass(frozen=True)
class Verdict:
    """One comparison's answer.

    ``case``: 'weights' (inherited weights were better), 'architecture' (training from scratch
    was better), 'no difference' (the interval holds 0) or 'unsettled' (no interval).
    """

    stage: str
    model: str
    case: str
    sentence: str


def verdict(rows: Iterable[Row], stage: str, model: str) -> Verdict:
    """What (stage, model) says of inherited weights against the architecture alone.

    The first candidate that has a score (the one of the big network's compute, Scratch-B, if it
    has one) is compared with the baseline, fine-tuning or Prune-C, because it was chosen
    beforehand and not for its score; the other candidates are mentioned beside it.
    """
    rows = list(rows)
    metric = primary_metric(rows, stage, model)
    mine = {r.arm: r for r in rows if (r.stage, r.model, r.metric) == (stage, model, metric)}
    baseline, candidates = ARMS.baseline(stage), ARMS.candidates(stage)
    base = mine.get(baseline.name)
    present = [arm for arm in candidates if arm.name in mine]
    scratch = [mine[arm.name] for arm in present]
    if base is None or not scratch:
        missing = baseline.label if base is None else 'training from scratch'
        sentence = f'Whether inherited weights mattered is open: {missing} has no score yet.'
        return Verdict(stage, model, 'unsettled', sentence)
    case = _case(scratch[0].compared)
    sentence = f'{_opening(case, base, scratch[0])}: {_evidence(base, scratch[0])}'
    if case == 'no difference':
        shown = METRICS[stage][base.metric].text(scratch[0].compared.half_width)
        sentence += f'; the seeds resolve differences of about ±{shown} points'
    for other in scratch[1:]:
        sentence += f'; {_label(other)} reached {mean_std(other)} ({_difference(other)})'
    first = candidates[0]
    if ARMS.has_equal_compute(first) and not ARMS.has_equal_compute(present[0]):
        sentence += f'; {first.label}, the arm of equal compute, has no completed run'
    return Verdict(stage, model, case, sentence + '.')


def _case(difference: Difference) -> str:
    if difference.ci95 is None:
        return 'unsettled'
    low, high = difference.ci95
    return 'architecture' if low > 0 else 'weights' if high < 0 else 'no difference'


def _opening(case: str, base: Row, scratch: Row) -> str:
    metric = METRICS[base.stage][base.metric]
    if case == 'weights':
        gain = metric.text(-scratch.compared.value)
        return f'Inherited weights mattered here, by {gain} points'
    if case == 'architecture':
        gain = metric.text(scratch.compared.value)
        return f'The architecture alone did better here, by {gain} points'
    if case == 'no difference':
        return 'Inherited weights were worth nothing measurable here'
    if min(base.n, scratch.n) < 2:
        return 'Whether inherited weights mattered cannot be settled with n = 1'
    return 'Whether inherited weights mattered is open, the seeds show no spread to measure it by'


def _evidence(base: Row, scratch: Row) -> str:
    metric = METRICS[base.stage][base.metric]
    return (
        f'{_label(scratch)} reached {mean_std(scratch)} {metric.unit}, '
        f'{_label(base)} {mean_std(base)} {metric.unit} ({_difference(scratch)})'
    )


def _label(row: Row) -> str:
    return ARMS.label(row.stage, row.arm)


def _difference(row: Row) -> str:
    value = METRICS[row.stage][row.metric].text(row.compared.value, signed=True)
    bounds = f', 95 % CI {interval(row)}' if interval(row) else ''
    other = row.compared.n_baseline
    count = f'{row.n}' if row.n == other else f'{row.n} and {other}'
    return f'difference {value}{bounds}, n = {count}'


def overall_verdict(verdicts: Sequence[Verdict]) -> str:
    """One sentence for the study: the single verdict itself, or a count over the comparisons."""
    if not verdicts:
        return 'Nothing can be said yet: no completed run has a metric to compare.'
    if len(verdicts) == 1:
        return verdicts[0].sentence
    said = {
        'weights': 'mattered in',
        'architecture': 'did worse than training the architecture from scratch in',
        'no difference': 'were worth nothing measurable in',
        'unsettled': 'could not be judged in',
    }
    parts = []
    for case, words in said.items():
        models = [
            f'{v.stage}/{v.model}' if v.model else v.stage for v in verdicts if v.case == case
        ]
        if models:
            parts.append(f'{words} {len(models)} of {len(verdicts)} ({", ".join(models)})')
    return f'Over {len(verdicts)} comparisons, inherited weights {"; ".join(parts)}.'
