"""How the networks of a (stage, model) were made: what the field's checklists ask for.

Pruner and its options, budget, optimizer, schedule, batch size and data are read from what the
runs keep of themselves: their rows, and ``recipe.json`` in their folders.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rethink_det.arms import ARMS
from rethink_det.report.environment import NOT_RECORDED, merged
from rethink_det.report.places import placed
from rethink_det.report.run_files import RunFiles
from rethink_det.report.run_result import RunResult
from rethink_det.report.statistics import by_arm
from rethink_det.report.tables import Table
from rethink_det.report.training_facts import ALONE, TrainingFacts

DIGITS = 8
"""Of a run's digest, as in the name of its folder."""
MANY = 5
"""A list of so many is not shown: class names, say."""
OPTIMIZER, SCHEDULE, BATCH = 'optimizer', 'learning-rate schedule', 'batch size, of one process'
TRAINING_DATA, TEST_DATA = 'training data', 'test data'
LOST = f'{NOT_RECORDED.capitalize()}: of a run of before runs kept that.'


def how_made_table(runs: Iterable[RunResult], files: RunFiles) -> Table:
    """What all runs have in common is said once, and else which arms have what.

    Args:
        runs: The completed runs of one (stage, model), at least one.
        files: Of the study.
    """
    runs = sorted(runs, key=lambda run: (*by_arm(run), run.seed))
    facts = [_facts(run, files) for run in runs]
    body = [[name, by_value(runs, [one[name] for one in facts])] for name in facts[0]]
    environment = merged(run.environment for run in runs) or {'environment': NOT_RECORDED}
    body += [[name, text] for name, text in environment.items()]
    body.append(['digest of all that a run follows from', _digests(runs)])
    note = LOST if any(NOT_RECORDED in text for _, text in body) else ''
    return Table(
        'How it was made', ['what', 'how'], body, note, of_arms=False, folded=True, prose=True
    )


def _facts(run: RunResult, files: RunFiles) -> dict[str, str]:
    """What is known of one run, by name; a recipe tells more than the facts in the row."""
    told = {name: fact(run) for name, fact in _OF_RUNS.items()}
    config = placed(files.config(run), files.work_dir.resolve())
    if config is not None:
        return told | {name: fact(config) for name, fact in _OF_CONFIGS.items()}
    facts = dict.fromkeys(_OF_CONFIGS, NOT_RECORDED)
    return told | facts | (_of_training(run.training) if run.training else {})


def _of_training(facts: TrainingFacts) -> dict[str, str]:
    rate = '' if facts.lr is None else f', lr {facts.lr:g}'
    return {
        OPTIMIZER: f'{facts.optimizer}{rate}',
        SCHEDULE: facts.schedule,
        BATCH: _number(facts.batch_size),
        TRAINING_DATA: facts.data,
    }


def by_value(runs: Sequence[RunResult], texts: Sequence[str]) -> str:
    """The one text, or each on a line of its own with the arms that it is true of.

    Args:
        runs: In the order in which arms are shown.
        texts: One a run.
    """
    values: dict[str, list[RunResult]] = {}
    for run, text in zip(runs, texts, strict=True):
        values.setdefault(text, []).append(run)
    if len(values) == 1:
        return texts[0]
    split = {run.arm for run in runs if sum(run.arm in _arms(own) for own in values.values()) > 1}
    lines = []
    for text, own in values.items():
        names = [f'{one.arm} seed {one.seed}' if one.arm in split else one.arm for one in own]
        lines.append(f'{", ".join(dict.fromkeys(names))}: {text}')
    return ';\n'.join(lines)


def _arms(runs: Iterable[RunResult]) -> set[str]:
    return {run.arm for run in runs}


def _digests(runs: Iterable[RunResult]) -> str:
    arms: dict[str, list[str]] = {}
    for run in runs:
        digest = (run.identity or NOT_RECORDED)[: DIGITS if run.identity else None]
        arms.setdefault(run.arm, []).append(f'{digest} (seed {run.seed})')
    return ';\n'.join(f'{arm}: {", ".join(digests)}' for arm, digests in arms.items())


def spelled(value: Any) -> str:
    """Part of a config as one writes it: ``SGD(lr=0.1, momentum=0.9)``."""
    if isinstance(value, Mapping):
        parts = [f'{key}={spelled(one)}' for key, one in value.items() if key != 'type']
        return f'{value["type"]}({", ".join(parts)})' if 'type' in value else ', '.join(parts)
    if isinstance(value, (list, tuple)):
        return f'[{", ".join(map(spelled, value))}]'
    return value if isinstance(value, str) else f'{value!r}'


def _pruner(run: RunResult) -> str:
    pruned = next((arm.pruned for arm in ARMS.of(run.stage) if arm.name == run.arm), True)
    if run.pruner is None:
        return NOT_RECORDED if pruned else 'none'
    return spelled(run.pruner)


def _precision(run: RunResult) -> str:
    if run.training is None:
        return 'none' if not run.epochs else NOT_RECORDED
    return run.training.precision or NOT_RECORDED


def _computed(run: RunResult) -> str:
    if run.training is None:
        return 'none' if not run.epochs else NOT_RECORDED
    return run.training.computed or ALONE


def _number(value: float | None) -> str:
    return NOT_RECORDED if value is None else f'{value:,g}' if value < 1e6 else f'{value:,.0f}'


def _config(run: RunResult) -> str:
    """Its file, without a folder of this machine, and the keys that the study sets in it."""
    if run.plan is None:
        return NOT_RECORDED
    path = Path(run.plan.config)
    file = path.name if path.is_absolute() else run.plan.config
    return ', '.join([file, *(f'{key}={spelled(one)}' for key, one in run.plan.options.items())])


def _schedule(config: Mapping[str, Any]) -> str:
    schedulers = config.get('param_scheduler') or []
    several = [schedulers] if isinstance(schedulers, Mapping) else schedulers
    return ', '.join(map(spelled, several)) or 'constant'


def _batch_size(config: Mapping[str, Any]) -> str:
    return spelled((config.get('train_dataloader') or {}).get('batch_size', 'none'))


def _data(loader: str, config: Mapping[str, Any]) -> str:
    """The data set of a loader, without what is done to its images."""
    dataset = (config.get(loader) or {}).get('dataset')
    return 'none' if dataset is None else spelled(_source(dataset))


def _source(dataset: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _source(value) if isinstance(value, Mapping) else value
        for key, value in dataset.items()
        if _is_plain(value) or (key == 'dataset' and isinstance(value, Mapping))  # of a wrapper
    }


def _is_plain(value: Any) -> bool:
    """Whether it is a number, a text, or a few of them."""
    if isinstance(value, list):
        return len(value) < MANY and all(map(_is_plain, value))
    return isinstance(value, (str, int, float))


_OF_RUNS: dict[str, Callable[[RunResult], str]] = {
    'pruner': _pruner,
    'times pruned': lambda run: _number(run.training.prunings if run.training else None),
    'epochs': lambda run: _number(run.epochs),
    'training images': lambda run: _number(run.training.images if run.training else None),
    'precision of training': _precision,
    'steps computed': _computed,
    'test images': lambda run: _number(run.test_images),
    'config': _config,
}
_OF_CONFIGS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    OPTIMIZER: lambda config: spelled(config.get('optim_wrapper') or 'none'),
    SCHEDULE: _schedule,
    BATCH: _batch_size,
    TRAINING_DATA: lambda config: _data('train_dataloader', config),
    TEST_DATA: lambda config: _data('test_dataloader', config),
}
