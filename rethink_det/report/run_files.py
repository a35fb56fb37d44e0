"""What a report reads beside results: recipes, and of detectors curves, pictures and latencies.

Runs of older versions have no recipes, and of other metrics no curves. A file that cannot be
read ends no report: it is left out, and said.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from rethink_det.errors import UserError
from rethink_det.layout import CURVES, LATENCIES, RECIPE, SHEET
from rethink_det.report.latencies import Latencies
from rethink_det.report.precision_curves import PrecisionCurves
from rethink_det.report.run_result import RunResult
from rethink_det.report.sample_pictures import SamplePictures
from rethink_det.report.schema import check_value, read, read_object
from rethink_det.report.statistics import by_arm
from rethink_det.report.tables import Table

T = TypeVar('T')
Curves = Mapping[str, Sequence[PrecisionCurves]]
"""By arm, in the order to show, one a seed, the lowest first."""
_READ_BY_KEY: dict[str, Any] = {
    'optim_wrapper': Mapping | None,
    'param_scheduler': Mapping | Sequence[Mapping] | None,
    'train_dataloader': Mapping | None,
    'train_dataloader.dataset': Mapping | None,
    'test_dataloader': Mapping | None,
    'test_dataloader.dataset': Mapping | None,
}
"""Keys of a run's config that the report looks into, and what must stand there."""


@dataclass
class RunFiles:
    """Reads what runs left in their folders.

    Attributes:
        work_dir: Folder of the study.
        unread: What is wrong with the files that could not be read, by their paths in it.
    """

    work_dir: Path
    unread: dict[str, str] = field(default_factory=dict)

    def curves(self, runs: Iterable[RunResult], kind: str) -> Curves:
        """What the runs' ``curves.json`` say of ``kind``, ``'bbox'`` or ``'segm'``."""
        found: dict[str, list[PrecisionCurves]] = {}
        for run in sorted(runs, key=_in_order):
            curves = self._read(run, CURVES, lambda content: _curves(content, kind))
            if curves:
                found.setdefault(run.arm, []).append(curves)
        return found

    def pictures(self, runs: Iterable[RunResult]) -> dict[str, tuple[int, SamplePictures]]:
        """Lowest seed whose ``sheet.json`` has images, and its content, by arm."""
        found: dict[str, tuple[int, SamplePictures]] = {}
        for run in sorted(runs, key=_in_order):
            if run.arm not in found:
                sheet = self._read(run, SHEET, _pictures)
                if sheet and sheet.images:
                    found[run.arm] = run.seed, sheet
        return found

    def config(self, run: RunResult) -> Mapping[str, Any] | None:
        """The resolved config in a run's ``recipe.json``; None where there is none."""
        return self._read(run, RECIPE, _config)

    def latencies(self) -> Latencies | None:
        """The study's ``latencies.json``; None where there is none."""
        try:
            return Latencies.read(self.work_dir)
        except UserError as error:
            self._note(LATENCIES, error)
            return None

    def table(self) -> Table | None:
        """The files that could not be read; None if all could."""
        if not self.unread:
            return None
        note = (
            'The report goes without them; metrics are elsewhere. Delete them, or do their runs '
            'again: rethink-det study verify says which.'
        )
        rows = [[path, wrong] for path, wrong in sorted(self.unread.items())]
        title = f'Files that could not be read ({len(rows)})'
        return Table(title, ['file', 'what is wrong'], rows, note, of_arms=False, prose=True)

    def _read(self, run: RunResult, name: str, of: Callable[[dict], T | None]) -> T | None:
        """What ``of`` makes of a file's content; None, and noted, if it is damaged."""
        if run.folder is None:
            return None
        file = f'{run.folder}/{name}'
        try:
            return of(read_object(self.work_dir / file, ''))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except UserError as error:
            self._note(file, error)
            return None

    def _note(self, file: str, error: UserError) -> None:
        said = f'{error}'.removeprefix(f'{self.work_dir / file}').strip(': ;.')
        self.unread[file] = said


def _in_order(run: RunResult) -> tuple:
    return *by_arm(run), run.seed


def _curves(content: Mapping, kind: str) -> PrecisionCurves | None:
    return read(PrecisionCurves, content[kind], '', key=kind) if content.get(kind) else None


def _pictures(content: Mapping) -> SamplePictures:
    return read(SamplePictures, content, '')


def _config(content: Mapping) -> Mapping[str, Any] | None:
    recipe = content.get('recipe')
    config = recipe.get('config') if isinstance(recipe, Mapping) else None
    check_value(Mapping | None, config, '', 'recipe.config')
    for key, hint in _READ_BY_KEY.items():
        node: Any = config
        for part in key.split('.'):
            node = node.get(part) if node else None
        check_value(hint, node, '', f'recipe.config.{key}')
    return config
