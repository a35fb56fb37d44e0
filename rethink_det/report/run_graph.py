"""``graph.json``: how a study was asked for, its runs, and which of them need which.

The study writes it into its folder before anything is done, so that whoever looks at the folder
later knows what is still to come, and what nothing needs any more.
"""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rethink_det.errors import UserError
from rethink_det.files import save_json
from rethink_det.layout import GRAPH, RUNS
from rethink_det.report.run_result import RUN_STAGES
from rethink_det.report.schema import NEEDED, one_of, read, read_file

FORMAT, VERSION = 'rethink_det.run_graph', 1
REMEDY = 'start the study again (it repeats only what is missing) to write it anew'


@dataclass(frozen=True)
class Asked:
    """How a study was asked for, so that it can be planned again.

    Attributes:
        config: The study config as it was named in ``cwd``, or the name of a shipped one.
        options: Keys of it set to other values, as ``--cfg-options``.
        variants: Only these of its variants; none for all.
        parts: What stands in no config file, of a study that a command made up; ``config`` is
            then the one whose folder names in it are relative to.
        cwd: Where it was asked for, relative to the study's folder.
        together: Whether its trainings are computed together.
    """

    config: str
    options: Mapping[str, Any] = field(default_factory=dict)
    variants: tuple[str, ...] = ()
    parts: Mapping[str, Any] | None = None
    cwd: str = '.'
    together: bool = False


@dataclass(frozen=True)
class PlannedRun:
    """A run of a study, done or not.

    Attributes:
        key: Unique and readable.
        stage: What kind of run it is.
        arm: Name of the arm.
        model: Of what is trained, and the variant.
        after: Keys of the runs that it needs.
        folder: Where the result lies that the study took, relative to its folder; None as long
            as it has none.
    """

    key: str = field(metadata=NEEDED)
    stage: str = field(metadata=one_of(RUN_STAGES))
    arm: str
    model: str = ''
    after: tuple[str, ...] = ()
    folder: str | None = None


@dataclass(frozen=True)
class RunGraph:
    """The content of ``graph.json``.

    Attributes:
        study: Name of the study.
        runs: Its runs, parents before children.
        asked: How it was asked for; None where nobody said.
    """

    study: str = field(metadata=NEEDED)
    runs: tuple[PlannedRun, ...] = field(metadata=NEEDED)
    asked: Asked | None = None

    def write(self, root: Path) -> None:
        """Write it into the folder of the study, atomically."""
        save_json({'format': FORMAT, 'version': VERSION, **asdict(self)}, root / GRAPH)

    @classmethod
    def read(cls, root: Path) -> 'RunGraph':
        """That of the study in a folder.

        Raises:
            UserError: There is none, as of studies of an older release, or it is damaged.
        """
        path = root / GRAPH
        try:
            return read(cls, read_file(path, FORMAT, VERSION, REMEDY), str(path), REMEDY)
        except FileNotFoundError:
            raise UserError(f'{path}: no such file; {REMEDY}') from None


def study_folder(work_dir: str | os.PathLike) -> Path:
    """The folder of a study, without links.

    Raises:
        UserError: It is none.
    """
    root = Path(work_dir).resolve()
    if not (root / RUNS).is_dir():
        raise UserError(f'{work_dir} is no folder of a study: it has no {RUNS}/ in it.')
    return root
