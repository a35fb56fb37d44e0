"""Prunings that did not come to what they were asked for."""

from collections.abc import Iterable

from rethink_det.report.run_result import RunResult


def not_as_asked_note(runs: Iterable[RunResult]) -> str:
    """A paragraph that says so, and why; empty if every pruning came to what was asked.

    Args:
        runs: Of a study. What is alike but for numbers is told once for all seeds of a model.
    """
    missed = [run for run in runs if run.not_as_asked]
    if not missed:
        return ''
    told = []
    for model in dict.fromkeys(run.model for run in missed):
        seeds = {run.seed: run.not_as_asked for run in missed if run.model == model}
        first, words = next(iter(seeds.items()))
        all_of_them = f'seeds {", ".join(map(str, seeds))}; of ' if len(seeds) > 1 else ''
        told.append(f'{model}, {all_of_them}seed {first}: {words}')
    return f'Pruning did not come to what was asked for. {" ".join(told)}'
