"""``results.json``: every run of a study, what it cost and what it reached.

The file is the interface to the outside: plain JSON without NaN, written whole or not at all.
Its ``summary``, ``verdict`` and ``verdicts`` are derived from ``runs`` at each writing.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from rethink_det.arms import STAGES
from rethink_det.errors import UserError
from rethink_det.files import plain, save_json
from rethink_det.layout import RESULTS
from rethink_det.report.statistics import Row, groups, summarise
from rethink_det.report.verdict import Verdict, overall_verdict, verdict

REMEDY = 'run the study again (it repeats only what is missing) to write it anew'
_ALWAYS = ('stage', 'model', 'arm', 'seed', 'status', 'metrics')
_ALWAYS += ('params', 'macs', 'epochs', 'checkpoint')
_NUMBERS = ('params', 'macs', 'epochs', 'train_macs', 'total_train_macs', 'wall_s')
_NUMBERS += ('latency_ms', 'peak_memory_mib')
_STAGE = ('stride', 'width', 'base_width', 'inside', 'base_inside')


@dataclass
class RunResult:
    """One run of a study.

    ``metrics``: percent for ``accuracy/*``, 0..1 for ``coco/*``; None marks a value that was
    not finite. ``macs``: one forward pass of ``input_shape`` (C, H, W). ``train_macs``: spent
    by this run alone; ``total_train_macs``: with the parents that it cannot do without, None if
    a given parent's is unknown. ``latency_ms``: median, batch 1, by ``latency_device``.
    ``peak_memory_mib``: of one image, weights included. ``stages``: per feature map ``stride``,
    channels (``width``, ``inside``: of all layers of that stride) and those of the unpruned
    backbone (``base_width``, ``base_inside``). ``unmeasured``: why something of that is missing.
    ``transferred``: of the weights a detector started from, ``tensors`` and ``parent_digest``.
    ``folder``: of the run, relative to the study's; it holds what is too large for here.
    ``reference``: a published number, ``{'value': ..., 'source': ...}``, in the units of the
    stage's primary metric. ``extra`` holds keys unknown to this class and survives a round trip.
    """

    stage: str
    arm: str
    seed: int
    metrics: dict[str, float | None] = field(default_factory=dict)
    model: str = ''
    status: str = 'completed'
    params: int | None = None
    macs: float | None = None
    epochs: float | None = None
    checkpoint: str | None = None
    input_shape: list[int] | None = None
    train_macs: float | None = None
    total_train_macs: float | None = None
    latency_ms: float | None = None
    latency_device: str | None = None
    peak_memory_mib: float | None = None
    stages: list[dict[str, int]] | None = None
    unmeasured: str | None = None
    transferred: dict[str, Any] | None = None
    folder: str | None = None
    wall_s: float | None = None
    error: str | None = None
    reference: dict[str, Any] | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str = 'run') -> 'RunResult':
        """Check and read one entry of ``runs``.

        Raises:
            UserError: a key is missing or of the wrong kind; the message starts with ``where``.
        """
        _check_run(data, where)
        known = {f.name for f in fields(cls)} - {'extra'}
        extra = {key: value for key, value in data.items() if key not in known}
        return cls(**{key: data[key] for key in known & data.keys()}, extra=extra)

    def to_dict(self) -> dict[str, Any]:
        """The entry of ``runs``: optional keys only where set, NaN and infinities as None."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name != 'extra'}
        kept = {key: own[key] for key in _ALWAYS}
        kept |= {key: value for key, value in own.items() if value is not None}
        return plain(self.extra | kept)


@dataclass
class StudyResults:
    """A study's runs with its name, title, description and environment (versions, device, date)."""

    study: str
    runs: list[RunResult] = field(default_factory=list)
    title: str = ''
    description: str = ''
    environment: dict[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> list[Row]:
        """One row per (stage, model, arm, metric) over the completed runs."""
        return summarise(self.runs)

    @property
    def verdicts(self) -> list[Verdict]:
        """One verdict per (stage, model), those without a completed run included."""
        rows = self.summary
        return [verdict(rows, stage, model) for stage, model in groups(self.runs)]

    @property
    def incomplete(self) -> list[RunResult]:
        """The runs that count nowhere: failed, interrupted or not started."""
        return [run for run in self.runs if run.status != 'completed']

    def to_dict(self) -> dict[str, Any]:
        """The content of ``results.json``."""
        verdicts = self.verdicts
        content = {
            'study': self.study,
            'title': self.title,
            'description': self.description,
            'verdict': overall_verdict(verdicts),
            'verdicts': [asdict(v) for v in verdicts],
            'runs': [run.to_dict() for run in self.runs],
            'summary': [asdict(row) for row in self.summary],
            'environment': self.environment,
        }
        return plain(content)

    def save(self, path: str | Path) -> Path:
        """Write the results to the file ``path``, atomically."""
        save_json(self.to_dict(), path)
        return Path(path)

    @classmethod
    def load(cls, path: str | Path) -> 'StudyResults':
        """Read a results file; a folder stands for its ``results.json``.

        Raises:
            UserError: no such file, not JSON, or a key missing or of the wrong kind.
        """
        path = Path(path)
        path = path / RESULTS if path.is_dir() else path
        data = _read_json(path)
        for key, kind in (('study', str), ('runs', list)):
            if not isinstance(data.get(key), kind):
                raise UserError(f"{path}: '{key}' must be a {kind.__name__}; {REMEDY}")
        for key, kind in (('title', str), ('description', str), ('environment', dict)):
            if not isinstance(data.get(key, kind()), kind):
                raise UserError(f"{path}: '{key}' must be a {kind.__name__}; {REMEDY}")
        runs = [RunResult.from_dict(r, f'{path}: runs[{i}]') for i, r in enumerate(data['runs'])]
        rest = {key: data[key] for key in ('title', 'description', 'environment') if key in data}
        return cls(data['study'], runs, **rest)


def write_results(work_dir: str | Path, results: StudyResults) -> Path:
    """Write ``results`` to ``work_dir/results.json`` and return its path."""
    return results.save(Path(work_dir) / RESULTS)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding='utf-8')
        data = json.loads(text, parse_constant=lambda _: None)
    except FileNotFoundError:
        raise UserError(f'{path}: no such file; run the study first, it writes this file') from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'{path}: cannot be read ({error}); {REMEDY}') from error
    except json.JSONDecodeError as error:
        raise UserError(f'{path}: not valid JSON ({error}); {REMEDY}') from error
    if not isinstance(data, dict):
        raise UserError(f'{path}: holds a {type(data).__name__}, not an object; {REMEDY}')
    return data


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _is_stage(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(value.get(k), int) for k in _STAGE)


def _check_run(data: Mapping[str, Any], where: str) -> None:
    """Refuse an entry that statistics or report could not use, naming the key."""

    def refuse(key: str, valid: str) -> None:
        raise UserError(f"{where}: '{key}' is {data.get(key)!r}, must be {valid}; {REMEDY}")

    if not isinstance(data, Mapping):
        raise UserError(f'{where}: {data!r} is not an object; {REMEDY}')
    if data.get('stage') not in STAGES:
        refuse('stage', f'one of {", ".join(STAGES)}')
    for key in ('arm', 'status'):
        if not isinstance(data.get(key), str):
            refuse(key, 'a text')
    if not isinstance(data.get('model', ''), str):
        refuse('model', 'a text')
    if not isinstance(data.get('seed'), int) or isinstance(data['seed'], bool):
        refuse('seed', 'a whole number')
    metrics = data.get('metrics', {})
    if not isinstance(metrics, Mapping) or not all(map(_is_number, metrics.values())):
        refuse('metrics', 'an object of numbers')
    for key in _NUMBERS:
        if not _is_number(data.get(key)):
            refuse(key, 'a number or null')
    for key in ('folder', 'unmeasured'):
        if not isinstance(data.get(key) or '', str):
            refuse(key, 'a text')
    stages = data.get('stages') or []
    if not isinstance(stages, list) or not all(map(_is_stage, stages)):
        refuse('stages', f'a list of objects of the numbers {", ".join(_STAGE)}')
    if not isinstance(data.get('transferred') or {}, Mapping):
        refuse('transferred', 'an object')
    reference = data.get('reference')
    if reference is not None and not (
        isinstance(reference, Mapping) and _is_number(reference.get('value'))
    ):
        refuse('reference', "an object with a number 'value' and a text 'source'")
