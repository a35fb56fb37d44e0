"""What lies in the runs' folders: recipes, and of detectors curves and detections.

Runs of older versions have no recipes, and of other metrics no curves.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rethink_det.errors import UserError
from rethink_det.layout import CURVES, RECIPE, SHEET
from rethink_det.report.run_result import RunResult
from rethink_det.report.statistics import by_arm

_REMEDY = 'Delete it, and the report goes without; the metrics are elsewhere.'
Found = Mapping[str, Sequence[dict[str, Any]]]
"""Contents of files by arm, in the order to show, one a seed, the lowest first."""


def curves_by_arm(runs: Iterable[RunResult], work_dir: str | Path, kind: str) -> Found:
    """What ``curves.json`` says of ``kind``, ``'bbox'`` or ``'segm'``.

    Raises:
        UserError: A file is damaged.
    """
    found: dict[str, list] = {}
    for run in sorted(runs, key=_in_order):
        curves = (_read(run, work_dir, CURVES) or {}).get(kind)
        if curves:
            found.setdefault(run.arm, []).append(curves)
    return found


def sheets_by_arm(runs: Iterable[RunResult], work_dir: str | Path) -> dict[str, tuple[int, dict]]:
    """Lowest seed that has a ``sheet.json``, and its content, by arm.

    Raises:
        UserError: A file is damaged.
    """
    found: dict[str, tuple[int, dict]] = {}
    for run in sorted(runs, key=_in_order):
        sheet = None if run.arm in found else _read(run, work_dir, SHEET)
        if sheet and sheet.get('images'):
            found[run.arm] = run.seed, sheet
    return found


def recipe_of(run: RunResult, work_dir: str | Path) -> dict[str, Any] | None:
    """The resolved config in a run's ``recipe.json``; None where there is none.

    Raises:
        UserError: The file is damaged.
    """
    content = _read(run, work_dir, RECIPE, "Delete the run's folder, and the study does it again.")
    recipe = (content or {}).get('recipe')
    return recipe.get('config') if isinstance(recipe, dict) else None


def _in_order(run: RunResult) -> tuple:
    return *by_arm(run), run.seed


def _read(run: RunResult, work_dir: str | Path, name: str, remedy: str = _REMEDY) -> dict | None:
    if run.folder is None:
        return None
    path = Path(work_dir) / run.folder / name
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise UserError(f'{path}: cannot be read ({error}). {remedy}') from None
    if not isinstance(content, dict):
        raise UserError(f'{path}: holds a {type(content).__name__}, not an object. {remedy}')
    return content
