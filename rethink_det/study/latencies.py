"""Measures the detectors of a study side by side, in one process, after all are trained."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.arms import DETECTION
from rethink_det.detection.measuring.detector import detector_at_work
from rethink_det.detection.measuring.latency import interleaved_latencies
from rethink_det.errors import in_one_line
from rethink_det.layout import CONFIG
from rethink_det.report.latencies import Latencies, Measured
from rethink_det.report.results import StudyResults
from rethink_det.report.run_result import COMPLETED, RunResult
from rethink_det.study.attempts import positive
from rethink_det.training.config import load_config

SECONDS = 2.0
"""For each network, about."""


def measure_latencies(results: StudyResults, work_dir: Path, seconds: float = SECONDS) -> bool:
    """Measure all detectors and write ``latencies.json``.

    Args:
        results: Of the study.
        work_dir: Its folder, where the checkpoints are.
        seconds: That it takes for each network.

    Returns:
        Whether there was a detector.
    """
    runs = {
        run.key: run
        for run in results.runs
        if run.stage == DETECTION and run.status == COMPLETED and run.key and run.checkpoint
    }
    missing: dict[str, str] = {}
    models: dict[str, list[list[RunResult]]] = {}
    for alike in _of_one_shape(runs.values(), missing):
        models.setdefault(alike[0].model, []).append(alike)
    networks: list[Measured] = []
    device = ''
    for shapes in models.values():
        try:
            device = _measure(shapes, seconds, networks, missing) or device
        except Exception as error:  # out of memory, say
            lost = (run.key or '' for runs in shapes for run in runs)
            missing.update(dict.fromkeys(lost, in_one_line(error)))
    if runs:
        Latencies(device, tuple(networks), missing).write(work_dir)
    return bool(runs)


def _measure(
    shapes: Sequence[Sequence[RunResult]],
    seconds: float,
    networks: list[Measured],
    missing: dict[str, str],
) -> str:
    """Let the networks of one model look at their images in turns; the device's name."""
    calls: list[Sequence[Callable[[], object]]] = []
    measured, device = [], None
    with ExitStack() as stack:
        for runs in shapes:
            first = runs[0]
            try:
                config = load_config(first.place / CONFIG)
                work = stack.enter_context(detector_at_work(config, first.checkpoint_path))
            except Exception as error:  # the study was moved, say: no report is lost for it
                missing.update({run.key or '': in_one_line(error) for run in runs})
                continue
            device = work
            calls.append(work.looks)
            measured.append(runs)
        if device is None:
            return ''
        times = interleaved_latencies(calls, device.device, seconds * len(calls))
    for runs, ms in zip(measured, times, strict=True):
        digests = {run.key or '': run.digest or '' for run in runs}
        networks.append(Measured(round(positive(ms), 3), digests))
    return device.latency_device


def _of_one_shape(runs: Iterable[RunResult], missing: dict[str, str]) -> list[list[RunResult]]:
    """Runs of one config whose networks are of one shape."""
    found: dict[str, list[RunResult]] = {}
    for run in runs:
        try:
            found.setdefault(_shape(run), []).append(run)
        except Exception as error:  # the checkpoint is gone, or damaged
            missing[run.key or ''] = in_one_line(error)
    return list(found.values())


def _shape(run: RunResult) -> str:
    """What decides how fast a network is: its config and the widths of its backbone."""
    checkpoint = Checkpoint.read(run.checkpoint_path)
    shape = None if checkpoint.architecture is None else widths_of(checkpoint)
    plan = None if run.plan is None else [run.plan.config, dict(run.plan.options)]
    return json.dumps([run.model, plan, shape], sort_keys=True, default=str)


def widths_of(checkpoint: Checkpoint) -> Mapping:
    """A backbone's architecture without which of its channels were kept."""
    architecture = PrunedArchitecture.load(checkpoint)
    described = architecture.to_dict()
    for key in ('channels', 'selections'):
        kept = described.get(key) or {}
        described[key] = {n: one if isinstance(one, int) else len(one) for n, one in kept.items()}
    return {key: value for key, value in described.items() if key not in ('name', 'source')}
