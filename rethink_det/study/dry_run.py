"""What a study will do and what it can find, told before anything runs."""

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from rethink_det.arms import ARMS, STAGES
from rethink_det.report.comparison import Comparison
from rethink_det.report.pace import duration
from rethink_det.report.planning import FEWEST, planned
from rethink_det.report.statistics import METRICS
from rethink_det.study.config import Study
from rethink_det.study.forecast import Forecaster
from rethink_det.study.graph import runs_of
from rethink_det.study.nodes import Run
from rethink_det.study.reasons import Reason, reasons
from rethink_det.study.run import NAMED
from rethink_det.study.shared_runs import SharedRuns
from rethink_det.study.startable import check_startable

Place = tuple[str, str]
"""Stage and model."""


def dry_run(
    study: Study, work_dir: str | os.PathLike | None = None, shared: SharedRuns | None = None
) -> str:
    """The plan as text: a line per run, with what it waits for; then what is judged.

    Args:
        study: What is planned.
        work_dir: Folder of the study, if it may hold finished runs.
        shared: Where studies put what they have in common; None if nowhere.

    Raises:
        UserError: As of :func:`~rethink_det.study.startable.check_startable`.
    """
    check_startable(study)
    runs = runs_of(study)
    known = reasons(runs, Path(work_dir).resolve(), shared) if work_dir is not None else {}
    lines = [f'{study.name}: {len(runs)} runs', *(_line(run, known.get(run.key)) for run in runs)]
    return '\n'.join([*lines, *_what_it_takes(runs, known), *_together(study), *_judged(study)])


def _line(run: Run, reason: Reason | None) -> str:
    """A run, what it waits for, and what is there of it."""
    if reason is not None and reason.result is not None:
        return f'  {run.key}  done' + ' by another study' * reason.shared
    keys = dict.fromkeys(parent.key for parent in run.parents.values())
    waits = f'  after {", ".join(keys)}' if keys else ''
    changed = [line for lines in (reason.causes if reason else {}).values() for line in lines]
    return f'  {run.key}{waits}' + (f'  again: {", ".join(changed[:NAMED])}' if changed else '')


def _what_it_takes(runs: Sequence[Run], known: Mapping[str, Reason]) -> Iterator[str]:
    """What is done, and what the rest takes."""
    done = [one.result for one in known.values() if one.result is not None]
    left = [run for run in runs if not (run.key in known and known[run.key].result)]
    if done:
        others = sum(one.shared for one in known.values())
        taken = f', {others} by other studies, from which they are taken' if others else ''
        yield f'Done already: {len(done)} of {len(runs)} runs{taken}.'
    forecaster = Forecaster(done)
    ahead = [forecaster.of(run) for run in left if run.stage in STAGES]
    if not ahead:
        return
    macs = [one.macs for one in ahead if one.macs is not None]
    if macs:
        most = 'at most ' if any(one.bound for one in ahead if one.macs is not None) else ''
        yield f'To train: {most}{sum(macs):.3g} multiply-adds{_of_them(len(macs), len(ahead))}.'
    times = [one.seconds for one in ahead if one.seconds is not None]
    if times:
        told = f'about {duration(sum(times))}{_of_them(len(times), len(ahead))}'
        yield f'By the runs that are done it takes {told}, one at a time.'


def _together(study: Study) -> Iterator[str]:
    """How steps are computed, where that is not as usual."""
    if study.classification.together:
        yield 'Trainings of classifiers of one shape are computed together, where that can be.'


def _of_them(known: int, number: int) -> str:
    """How many runs a sum is of, if not of all."""
    unknown = number - known
    return f' in {known} runs; of {unknown} nothing is known yet' if unknown else ''


def comparisons_of(study: Study) -> dict[Place, int]:
    """How many comparisons are judged, by stage and model.

    Each arm against its rival, where that is trained, by each metric that is judged, and the
    primary comparison if it is of two others or by another metric.
    """
    found = {}
    for (stage, model), arms in study.trained_arms.items():
        rivals = [ARMS.rival(stage, arm, arms) for arm in arms]
        pairs = len(rivals) - rivals.count(None)
        found[stage, model] = pairs * len(study.metrics_of(stage, model))
    primary = study.primary_comparison()
    if primary and (primary.stage, primary.model) in found and not _is_usual(primary, study):
        found[primary.stage, primary.model] += 1
    return found


def repetitions_of(study: Study) -> dict[Place, int]:
    """How often each stage and model is repeated: over parents, or over seeds of the only one."""
    named, classification = study.classification.named_parents, study.classification
    found = {place: len(set(study.seeds)) for place in study.trained_arms}
    for plan in study.transfers:
        seeds = set(study.seeds if plan.seeds is None else plan.seeds)
        for variant in classification.variant_names:
            place = plan.stage, plan.model(variant)
            found[place] = min(found[place], len(seeds))
    return dict.fromkeys(found, len(named)) if len(named) > 1 else found


def _is_usual(primary: Comparison, study: Study) -> bool:
    """Whether it is judged in any case."""
    stage, model = primary.stage, primary.model
    rival = ARMS.rival(stage, primary.arm, study.trained_arms[stage, model])
    return primary.baseline == rival and primary.metric in study.metrics_of(stage, model)


def _judged(study: Study) -> Iterator[str]:
    count, primary = sum(comparisons_of(study).values()), study.primary_comparison()
    yield f'{count} comparisons are judged; all that is said of them holds together at 5 %.'
    if primary:
        yield f'Primary: {primary}, by {primary.metric}; the others are exploratory.'
        if primary.arm not in study.trained_arms.get((primary.stage, primary.model), ()):
            yield 'It is of a variant that is left out here: all others are judged alike.'
    yield _margin(study.margin)
    yield f'Repetitions: {_design(study)}.'
    if count:
        yield from _detectable(study, count)


def _margin(margin: Mapping[str, float]) -> str:
    if not margin:
        return (
            'Margin: none is named (study.margin); two standard errors of the metric on its test '
            'images stand for it where these are known.'
        )
    metrics = {name: one for metrics in METRICS.values() for name, one in metrics.items()}
    told = [f'{value * metrics[name].scale:g} points of {name}' for name, value in margin.items()]
    return f'Margin: {", ".join(told)}.'


def _design(study: Study) -> str:
    seeds, plan = len(set(study.seeds)), study.classification
    each = f'{seeds} seed{"s" * (seeds != 1)}'
    if len(plan.named_parents) > 1:
        return f'{len(plan.named_parents)} parents, each with {each}, which are averaged'
    if plan.parent or plan.named_parents:
        return f'{each} of one parent, so that claims are about this parent alone'
    return f'{each}, each with a parent of its own'


def _detectable(study: Study, count: int) -> Iterator[str]:
    """What is found with 80 % power, for each number of repetitions that occurs."""
    repetitions, judged = repetitions_of(study), comparisons_of(study)
    primary = study.primary_comparison()
    places = sorted((p for p in judged if judged[p]), key=lambda place: repetitions[place])
    for number, group in groupby(places, key=lambda place: repetitions[place]):
        here = list(group)
        where = ', '.join('/'.join(place) for place in here)
        found = planned(count - (primary is not None), number, margin=True)
        if number < FEWEST:
            alone = '; claims will be about its networks alone' if number < 2 else ''
            yield f'Warning: fewer than {FEWEST} repetitions, {number}, of {where}{alone}.'
        if found.primary is None or found.exploratory is None:
            continue
        first = primary is not None and (primary.stage, primary.model) in here
        told = f'{found.primary:.1f} in the primary comparison, ' if first else ''
        yield (
            f'Found by 80 % of such studies, in standard deviations between the runs of an arm of '
            f'{where}: {told}{found.exploratory:.1f} in the first of the others.'
        )
