"""The runs of a study as CSV: wide, one line a run, and tidy, one line a run and metric."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rethink_det.report.run_result import RunResult

TIDY_COLUMNS = (
    'study', 'stage', 'model', 'arm', 'parent', 'seed', 'metric', 'value', 'unit', 'status',
)  # fmt: skip
MEASURED = {
    'params': 'parameters', 'backbone_params': 'parameters', 'macs': 'MACs',
    'backbone_macs': 'MACs', 'epochs': 'epochs', 'train_macs': 'MACs',
    'total_train_macs': 'MACs', 'latency_ms': 'ms', 'peak_memory_mib': 'MiB', 'wall_s': 's',
}  # fmt: skip
"""Fields of a run that are metrics in a tidy table, with their units."""
UNITS = {'accuracy/': '%', 'coco/': 'fraction', 'pascal_voc/': 'fraction'}
"""Units of metrics, as the rows have them, by how their names begin."""


def wide_csv(runs: Iterable[RunResult]) -> str:
    """One line per run, metrics and nested values in columns of their own (``a.b``).

    What is too long for a cell is left out: the plan, and metrics of resampled images.
    """
    short = (replace(run, plan=None, replicates=None) for run in runs)
    lines = [dict(flat(run.to_dict())) for run in short]
    return _csv(list(dict.fromkeys(key for line in lines for key in line)), lines)


def tidy_csv(study: str, runs: Iterable[RunResult]) -> str:
    """One line per run and metric; a run without any has one line, with its status.

    Values are as in ``results.json``; one that is not finite is an empty cell.

    Args:
        study: Its name.
        runs: All of it.
    """
    return _csv(TIDY_COLUMNS, [line for run in runs for line in _tidy(study, run)])


def _tidy(study: str, run: RunResult) -> Iterator[dict[str, Any]]:
    common = {key: getattr(run, key) for key in TIDY_COLUMNS if hasattr(run, key)}
    found = {name: (value, _unit(name)) for name, value in run.metrics.items()}
    alone = ' of the backbone' * run.counts_backbone_alone
    measured = {
        name: (getattr(run, name), f'{unit}{alone * (unit == "MACs")}')
        for name, unit in MEASURED.items()
    }
    found |= {name: one for name, one in measured.items() if one[0] is not None}
    for metric, (value, unit) in found.items():
        yield {'study': study, **common, 'metric': metric, 'value': value, 'unit': unit}
    if not found:
        yield {'study': study, **common}


def _unit(metric: str) -> str:
    return next((unit for start, unit in UNITS.items() if metric.startswith(start)), '')


def _csv(columns: Sequence[str], lines: Iterable[Mapping[str, Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator='\n')
    writer.writerow(map(_inert, columns))
    for one in lines:
        values = (one.get(column) for column in columns)
        writer.writerow('' if value in (None, 'None') else _inert(value) for value in values)
    return buffer.getvalue()


_FORMULA = ('=', '+', '-', '@', '\N{FULLWIDTH EQUALS SIGN}')
"""What a text starts with that a spreadsheet would compute, white space before it or not."""


def _inert(value: Any) -> Any:
    """A value that a spreadsheet shows as it is; a formula becomes a text by an apostrophe."""
    if not isinstance(value, str):
        return value
    text = value.replace('\r', '\n')  # which csv puts in quotes
    if not text.lstrip().startswith(_FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def flat(data: Mapping[str, Any], prefix: str = '') -> list[tuple[str, str]]:
    """Nested keys as ``a.b``, values as text."""
    lines = []
    for key, value in data.items():
        if isinstance(value, Mapping):
            lines += flat(value, f'{prefix}{key}.')
        else:
            lines.append((f'{prefix}{key}', str(value)))
    return lines
