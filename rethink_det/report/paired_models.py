"""One model of two studies: the scores of both, their costs, and how they were made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rethink_det.report.design import Compared, compare
from rethink_det.report.environment import NOT_RECORDED
from rethink_det.report.family import LEVEL
from rethink_det.report.how_made import how_made_table
from rethink_det.report.judgement import scores_of
from rethink_det.report.run_files import RunFiles
from rethink_det.report.run_result import RunResult
from rethink_det.report.statistics import METRICS, Metric, Row
from rethink_det.report.tables import Table
from rethink_det.report.units import count
from rethink_det.report.verdict import confidence, interval

SIDES = ('A', 'B')
OWN = ('digest of all that a run follows from', 'started', 'environment')
"""Facts that are other ones in any two studies, or told in parts."""
_LIKE = {
    'accuracy/': Metric('', 1.0, 2, '%'),
    'coco/': Metric('', 100.0, 1, 'AP'),
    'pascal_voc/': Metric('', 100.0, 1, 'AP'),
}
"""How metrics are shown that no verdict rests on, by how their names begin."""


@dataclass(frozen=True)
class OfOneModel:
    """What a study has completed of one stage and model.

    Attributes:
        stage: One of ``STAGES``.
        model: Its name.
        runs: At least one.
        rows: A row per arm and metric.
        folder: Of the study.
    """

    stage: str
    model: str
    runs: list[RunResult]
    rows: list[Row]
    folder: Path

    @classmethod
    def of(
        cls, key: tuple[str, str], runs: Iterable[RunResult], rows: Iterable[Row], folder: Path
    ) -> 'OfOneModel':
        """The part of a study's runs and rows that has this stage and model."""
        mine = [run for run in runs if (run.stage, run.model) == key]
        return cls(*key, mine, [row for row in rows if (row.stage, row.model) == key], folder)

    @property
    def key(self) -> tuple[str, str]:
        """Stage and model."""
        return self.stage, self.model

    @property
    def title(self) -> str:
        """Both in words."""
        return ' '.join(filter(None, self.key))

    @property
    def arms(self) -> list[str]:
        """In the order to show."""
        return list(dict.fromkeys(row.arm for row in self.rows))

    def __str__(self) -> str:
        return f'{self.title}: {", ".join(self.arms)}'


@dataclass(frozen=True)
class PairedModels:
    """What two studies have of one stage; ``note`` stands above the tables."""

    title: str
    tables: list[Table]
    note: str = ''


def paired_models(one: OfOneModel, other: OfOneModel) -> PairedModels | None:
    """Both side by side; None if they have no arm with a metric in common.

    Raises:
        UserError: The recipe of a run is damaged.
    """
    theirs = {(row.metric, row.arm): row for row in other.rows if _is_known(row)}
    both: dict[str, list[tuple[Row, Row]]] = {}
    for row in filter(_is_known, one.rows):
        if (row.metric, row.arm) in theirs:
            both.setdefault(row.metric, []).append((row, theirs[row.metric, row.arm]))
    if not both:
        return None
    scores = [_scores(name, pairs, one.runs, other.runs) for name, pairs in both.items()]
    shown, folded = ([t for t in scores if t.folded is folds] for folds in (False, True))
    costs = _costs(one.runs, other.runs)
    names = dict.fromkeys(side.model for side in (one, other) if side.model)
    return PairedModels(
        ' · '.join(filter(None, (one.stage.capitalize(), ' against '.join(names)))),
        [*shown, *([costs] if costs.rows else []), _settings(one, other), *folded],
        ' '.join(filter(None, (_images(one.runs, other.runs), *_alone(one, other)))),
    )


def _is_known(row: Row) -> bool:
    """Whether it says something; COCO gives -1 for a kind of objects that is not there."""
    return not (row.metric.startswith('coco/') and min(row.values.values()) < 0)


def _scores(
    name: str,
    both: Sequence[tuple[Row, Row]],
    first: Iterable[RunResult],
    second: Iterable[RunResult],
) -> Table:
    """One metric by arm: both means, and how far apart they are."""
    known = METRICS[both[0][0].stage].get(name)
    metric = known or _metric_like(name)
    body, dropped = [], []
    for one, other in both:
        cells = [f'{_mean(metric, row)} (n = {row.n})' for row in (one, other)]
        runs = [[run for run in side if run.arm == one.arm] for side in (second, first)]
        found = compare(*(scores_of(own, name) for own in runs))
        body.append([one.arm, *cells, *_difference(metric, found)])
        dropped += [f'{one.arm} {", ".join(map(str, found.dropped))}'] * bool(found.dropped)
    columns = ['arm', *SIDES, 'B − A', f'{confidence(LEVEL)} CI', 'test', 'about']
    note = f'Seeds of one study alone, left out of the difference: {"; ".join(dropped)}.'
    title = metric.label if metric.unit else name
    return Table(title, columns, body, note if dropped else '', folded=known is None)


def _metric_like(name: str) -> Metric:
    """How a metric is shown that no verdict rests on."""
    like = next((metric for start, metric in _LIKE.items() if name.startswith(start)), None)
    return replace(like, name=name) if like else Metric(name, 1.0, 4, '')


def _difference(metric: Metric, found: Compared) -> list[str]:
    """Its value; and where that has an interval, this, its method and what it is about."""
    value = metric.text(found.estimate.value, signed=True)
    bounds = interval(metric, found.estimate.interval(LEVEL))
    return [value, bounds, found.estimate.method or '–', found.scope] if bounds else [value, *'–––']


def _mean(metric: Metric, row: Row) -> str:
    return metric.text(row.mean) + ('' if row.std is None else f' ± {metric.text(row.std)}')


SIZES = {
    'parameters': 'params', 'MACs': 'whole_macs', 'MACs of the backbone': 'macs_in_backbone',
}  # fmt: skip


def _costs(first: Sequence[RunResult], second: Sequence[RunResult]) -> Table:
    """Sizes of the networks by arm, where both are known and differ."""
    body = []
    for arm in dict.fromkeys(run.arm for run in first):
        for name, key in SIZES.items():
            told = [_range(runs, arm, key) for runs in (first, second)]
            if told[0] != told[1] and '–' not in told:
                body.append([arm, name, *told])
    return Table('Where the networks are of another size', ['arm', 'of', *SIDES], body)


def _range(runs: Iterable[RunResult], arm: str, key: str) -> str:
    known = [getattr(run, key) for run in runs if run.arm == arm]
    texts = [count(value) for value in sorted(value for value in known if value is not None)]
    return ' to '.join(dict.fromkeys((texts[0], texts[-1]))) if texts else '–'


def _settings(one: OfOneModel, other: OfOneModel) -> Table:
    """Where data, budget, pruner, versions and the like of the arms differ that both have."""
    shared = {run.arm for run in one.runs} & {run.arm for run in other.runs}
    facts: list[dict[str, str]] = []
    unread: list[str] = []
    for side in (one, other):
        runs = [run for run in side.runs if run.arm in shared]
        files = RunFiles(side.folder)
        facts.append({name: text for name, text in how_made_table(runs, files).rows})
        unread += [f'{Path(side.folder).name}/{path}' for path in files.unread]
    names = [name for name in dict.fromkeys([*facts[0], *facts[1]]) if name not in OWN]
    # A side that kept its environment has not installed the packages that it does not name.
    missing = ['none' if 'python' in side else NOT_RECORDED for side in facts]
    told = [
        [name, *(side.get(name, lost) for side, lost in zip(facts, missing, strict=True))]
        for name in names
    ]
    body = [line for line in told if line[1] != line[2]]
    note = '' if body else 'Nothing of what the runs keep of themselves differs.'
    note += f' Could not be read: {", ".join(unread)}.' if unread else ''
    columns = ['what', *SIDES]
    return Table('Where they were made otherwise', columns, body, note, of_arms=False, prose=True)


def _images(first: Sequence[RunResult], second: Sequence[RunResult]) -> str:
    """A warning where the metrics are of other images; empty where they are of the same."""
    digests = [{run.test_digest for run in runs} for runs in (first, second)]
    if any(None in each for each in digests):
        return 'Whether both were tested on the same images is not recorded.'
    if digests[0] == digests[1]:
        return ''
    return 'They were tested on different images: part of every difference is these.'


def _alone(one: OfOneModel, other: OfOneModel) -> list[str]:
    """A sentence for each side that has arms which the other has not."""
    left = [[arm for arm in a.arms if arm not in b.arms] for a, b in ((one, other), (other, one))]
    return [
        f'Only {name} has {", ".join(arms)}.'
        for name, arms in zip(SIDES, left, strict=True)
        if arms
    ]
