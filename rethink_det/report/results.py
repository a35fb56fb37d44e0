"""``results.json``: every run of a study, what it cost and what it reached.

The file is the interface to the outside: plain JSON without NaN, written whole or not at all.
Its ``summary``, ``verdict``, ``verdicts`` and ``conclusions`` are derived at each writing.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from rethink_det.arms import STAGES
from rethink_det.errors import UserError
from rethink_det.files import plain, save_json
from rethink_det.layout import RESULTS
from rethink_det.moved import warn_of
from rethink_det.report.comparison import Comparison
from rethink_det.report.judgement import judge
from rethink_det.report.outcome import Verdict
from rethink_det.report.run_result import COMPLETED, RunResult
from rethink_det.report.schema import NEEDED, read, read_file
from rethink_det.report.statistics import Row, groups, summarise
from rethink_det.report.unscored import unscored_parents
from rethink_det.report.verdict import Conclusion, conclude, overall_verdict

FORMAT = 'rethink_det.study_results'
VERSION = 2
REMEDY = 'run the study again (it repeats only what is missing) to write it anew'
DERIVED = ('verdict', 'verdicts', 'conclusions', 'summary')
"""Keys that are written for whoever reads the file, and not read."""


@dataclass
class StudyResults:
    """What a study found: the content of its ``results.json``.

    Attributes:
        study: Its name.
        runs: Its runs, but for those that prune and did not fail.
        title: One line for the report.
        description: What is asked, for the report.
        environment: Versions, device, command, date: what the runs had in common, and else how
            many had which; each run's own is in its row.
        primary: The comparison that was named before the runs; the others are exploratory.
        margin: By metric, in its own unit: the largest difference that does not matter.
        primary_late: Whether another comparison was the primary one when there were results: then
            none is tested before the others.
        margin_late: Whether the margin was another one when there were results, which is said.

    Example:
        >>> from rethink_det import StudyResults
        >>> results = StudyResults.read('work')
        >>> [row.n for row in results.summary if row.arm == 'fine-tune']
        [1]
        >>> results.verdicts[0].outcome
        'open'
    """

    study: str
    runs: list[RunResult] = field(default_factory=list, metadata=NEEDED)
    title: str = ''
    description: str = ''
    environment: dict[str, Any] = field(default_factory=dict)
    primary: Comparison | None = None
    margin: Mapping[str, float] = field(default_factory=dict)
    primary_late: bool = False
    margin_late: bool = False

    @property
    def summary(self) -> list[Row]:
        """One row per (stage, model, arm, metric) over the completed runs."""
        return summarise(self.runs)

    @property
    def verdicts(self) -> list[Verdict]:
        """One verdict per comparison that has runs on both sides."""
        return judge(self)

    @property
    def conclusions(self) -> list[Conclusion]:
        """One conclusion per (stage, model), those without a completed run included.

        There is none of a parent that was given and has no score, beside which nothing is trained.
        """
        return self.concluded(self.verdicts)

    def concluded(self, verdicts: Sequence[Verdict]) -> list[Conclusion]:
        """The same of verdicts that are known already."""
        rows = self.summary
        trained = [run for run in self.runs if run.stage in STAGES]
        unscored = {(run.stage, run.model) for run in unscored_parents(self.runs)}
        places = [place for place in groups(trained) if place not in unscored]
        return [conclude(verdicts, rows, stage, model) for stage, model in places]

    @property
    def incomplete(self) -> list[RunResult]:
        """The runs that count nowhere: failed, interrupted or not started."""
        return [run for run in self.runs if run.status != COMPLETED]

    def to_dict(self) -> dict[str, Any]:
        """The content of ``results.json``."""
        verdicts = self.verdicts
        conclusions = self.concluded(verdicts)
        content = {
            'format': FORMAT,
            'version': VERSION,
            'study': self.study,
            'title': self.title,
            'description': self.description,
            'verdict': overall_verdict(conclusions, verdicts),
            'conclusions': [asdict(c) for c in conclusions],
            'verdicts': [v.to_dict() for v in verdicts],
            'runs': [run.to_dict() for run in self.runs],
            'summary': [asdict(row) for row in self.summary],
            'environment': self.environment,
            'primary': None if self.primary is None else asdict(self.primary),
            'margin': self.margin,
            'primary_late': self.primary_late or None,
            'margin_late': self.margin_late or None,
        }
        return plain({key: value for key, value in content.items() if value is not None})

    def write(self, path: str | os.PathLike) -> Path:
        """Write the results to the file ``path``, atomically; a folder as of :meth:`read`."""
        path = _file(path)
        save_json(self.to_dict(), path)
        return path

    @classmethod
    def read(cls, path: str | os.PathLike) -> 'StudyResults':
        """Read a results file; a folder stands for its ``results.json``.

        Raises:
            UserError: No such file, not JSON, or a key unknown, missing or of the wrong kind.
        """
        path = _file(path)
        try:
            data = read_file(path, FORMAT, VERSION, REMEDY)
        except FileNotFoundError:
            raise UserError(
                f'{path}: no such file; run the study first, it writes this file'
            ) from None
        told = {key: value for key, value in data.items() if key not in DERIVED}
        results = read(cls, told, str(path), REMEDY)
        return replace(results, runs=[_placed(run, path.parent) for run in results.runs])

    @classmethod
    def load(cls, path: str | os.PathLike) -> 'StudyResults':
        """The old name of :meth:`read`; it goes with the next release."""
        warn_of('StudyResults.load', 'StudyResults.read')
        return cls.read(path)

    def save(self, path: str | os.PathLike) -> Path:
        """The old name of :meth:`write`; it goes with the next release."""
        warn_of('StudyResults.save', 'StudyResults.write')
        return self.write(path)


def write_results(work_dir: str | os.PathLike, results: StudyResults) -> Path:
    """The old name of :meth:`StudyResults.write`; it goes with the next release."""
    warn_of('write_results', 'StudyResults.write')
    return results.write(Path(work_dir))


def _file(path: str | os.PathLike) -> Path:
    path = Path(path)
    return path if path.suffix == '.json' else path / RESULTS


def _placed(run: RunResult, root: Path) -> RunResult:
    """A run of the study in the folder ``root``."""
    checkpoint = run.checkpoint
    if checkpoint and run.folder and Path(checkpoint).is_absolute():
        checkpoint = Path(checkpoint).name  # before there were versions; the study may have moved
    return replace(run, root=root, checkpoint=checkpoint)
