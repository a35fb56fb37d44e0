"""Two studies side by side: what both have, how far apart it is, and what they did otherwise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rethink_det.arms import STAGES
from rethink_det.errors import UserError
from rethink_det.files import save_text
from rethink_det.layout import COMPARISON_HTML, COMPARISON_MARKDOWN
from rethink_det.report.html import render
from rethink_det.report.markdown import cell, markdown_table
from rethink_det.report.paired_models import SIDES, OfOneModel, PairedModels, paired_models
from rethink_det.report.results import StudyResults
from rethink_det.report.run_result import COMPLETED
from rethink_det.report.statistics import groups

NOTES = (
    'Mean ± sample standard deviation over the completed runs, n of them.',
    'The difference is the second study minus the first, over the pairs of parents (or seeds) that '
    'both have where there are two; intervals are as in the report of a study, each by itself. It '
    'is about the method where parents (or seeds) repeat it, else about one parent, or the '
    'networks at hand. A run that does not name its parent counts as a repetition of its own.',
    'Nothing was decided beforehand about a comparison of two studies: what it shows is to be '
    'tested by a study of its own.',
)
TEMPLATE = 'two_studies.html'


@dataclass(frozen=True)
class TwoStudies:
    """Two studies side by side.

    Attributes:
        title: Of the page.
        summary: What each of them is, and what only one has.
        pairs: What both have.
    """

    title: str
    summary: str
    pairs: list[PairedModels]

    @property
    def markdown(self) -> str:
        """All of it as text."""
        parts = [f'# {cell(self.title)}', cell(self.summary)]
        for pair in self.pairs:
            parts += [f'## {cell(pair.title)}', *filter(None, [cell(pair.note)])]
            parts += [block for table in pair.tables for block in markdown_table(table)]
        parts += ['## How to read this', '\n'.join(f'* {note}' for note in NOTES)]
        return '\n\n'.join(parts) + '\n'

    def write(self, folder: str | Path) -> dict[str, Path]:
        """Write ``comparison.md`` and ``comparison.html`` into a folder, made as needed.

        Returns:
            The files, as ``'markdown'`` and ``'html'``.

        Raises:
            UserError: There is a file of the folder's name.
        """
        folder = Path(folder)
        if folder.exists() and not folder.is_dir():
            raise UserError(f'--out {folder} is a file; name a folder for the comparison.')
        page = render(
            TEMPLATE, title=self.title, summary=self.summary, sections=self.pairs, notes=NOTES
        )
        written = {
            'markdown': (folder / COMPARISON_MARKDOWN, self.markdown),
            'html': (folder / COMPARISON_HTML, page),
        }
        for path, text in written.values():
            save_text(text, path)
        return {kind: path for kind, (path, _) in written.items()}


@dataclass(frozen=True)
class _Study:
    """One side: a study, its folder, and what it has completed of each stage and model."""

    folder: Path
    results: StudyResults
    models: list[OfOneModel]

    @classmethod
    def read(cls, folder: Path) -> '_Study':
        """The study in a folder.

        Raises:
            UserError: There is none, or none of its runs is completed.
        """
        results = StudyResults.read(folder)
        rows = results.summary
        done = [run for run in results.runs if run.status == COMPLETED and run.stage in STAGES]
        models = [OfOneModel.of(key, done, rows, folder) for key in groups(done)]
        if not models:
            raise UserError(f'{folder}: no run of this study is completed; nothing to compare.')
        return cls(folder, results, models)

    @property
    def place(self) -> str:
        """Its folder, without those of this machine."""
        return self.folder.name if self.folder.is_absolute() else self.folder.as_posix()


def compare_studies(first: str | Path, second: str | Path) -> TwoStudies:
    """Put two studies side by side.

    Args:
        first: Folder of a study, A.
        second: Of another, B, whose difference to A is shown.

    Raises:
        UserError: A folder holds no study or no completed run, both are the same, or they have
            no stage and arm in common.
    """
    if Path(first).resolve() == Path(second).resolve():
        raise UserError(f'{first} and {second} are the same study; name two.')
    sides = [_Study.read(Path(folder)) for folder in (first, second)]
    found = [(one, other, paired_models(one, other)) for one, other in _matched(*sides)]
    matched = [(one, other) for one, other, pair in found if pair is not None]
    if not matched:
        told = ', and '.join(
            f'{side.place} has {"; ".join(map(str, side.models))}' for side in sides
        )
        raise UserError(f'These studies have no stage and arm in common: {told}.')
    names = dict.fromkeys(side.results.title or side.results.study for side in sides)
    title = ' and '.join(names) if len(names) > 1 else f'Two times {next(iter(names))}'
    return TwoStudies(title, _summary(sides, matched), [pair for *_, pair in found if pair])


def _matched(first: _Study, second: _Study) -> Iterator[tuple[OfOneModel, OfOneModel]]:
    """Models of one name, and of another where each side has a single one left of a stage."""
    named = {model.key: model for model in second.models}
    common = {model.key for model in first.models} & named.keys()
    yield from ((model, named[model.key]) for model in first.models if model.key in common)
    for stage in STAGES:
        left = [
            [model for model in side.models if model.key not in common and model.stage == stage]
            for side in (first, second)
        ]
        if [len(models) for models in left] == [1, 1]:
            yield left[0][0], left[1][0]


def _summary(sides: Sequence[_Study], matched: Sequence[tuple[OfOneModel, OfOneModel]]) -> str:
    """Which studies these are, and what is left out of the comparison."""
    told = []
    for name, side, kept in zip(SIDES, sides, zip(*matched, strict=True), strict=True):
        told.append(f'{name} is {side.results.study} ({side.place}).')
        alone = [model.title for model in side.models if model not in kept]
        told += [f'Only {name} has {", ".join(alone)}.'] * bool(alone)
        lost = len(side.results.incomplete)
        told += [f'{lost} of its runs {"has" if lost == 1 else "have"} no result.'] * bool(lost)
    return ' '.join(told)
