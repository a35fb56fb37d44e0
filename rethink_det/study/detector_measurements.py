"""What a study notes of a detector besides its metrics; a run never fails for lack of it."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config
from torch import Tensor

from rethink_det.architecture import PrunedArchitecture
from rethink_det.detection.evaluation.curves import UNMEASURED
from rethink_det.detection.measuring.cost import DetectorCost, detector_cost
from rethink_det.detection.measuring.detector import detector_at_work
from rethink_det.detection.measuring.input_size import InputSize, input_size
from rethink_det.detection.measuring.stages import stage_widths
from rethink_det.detection.wrapped import detector_of
from rethink_det.errors import UserError
from rethink_det.layout import CURVES
from rethink_det.report.run_result import WHOLE, FeatureMapWidths
from rethink_det.report.schema import read_object
from rethink_det.report.spent import Spent
from rethink_det.study import ledger
from rethink_det.study.attempts import Attempts, known, positive
from rethink_det.study.kept_replicates import kept_replicates


@dataclass(frozen=True)
class DetectorMeasurements:
    """Fields of :class:`~rethink_det.report.run_result.RunResult`, which says what they are.

    What could not be measured is None, and ``unmeasured`` says what that is and why.
    """

    params: int | None = None
    input_shape: tuple[int, ...] | None = None
    input_origin: str | None = None
    macs: float | None = None
    macs_conv: float | None = None
    macs_linear: float | None = None
    macs_of: str = WHOLE
    backbone_params: int | None = None
    backbone_macs: float | None = None
    regions: int | None = None
    spent: Spent = Spent(pruning=0, device_s={})
    stages: tuple[FeatureMapWidths, ...] | None = None
    latency_ms: float | None = None
    latency_device: str | None = None
    peak_memory_mib: float | None = None
    test_images: int | None = None
    test_digest: str | None = None
    replicates: Mapping[str, tuple[float, ...]] | None = None
    unmeasured: str | None = None


def keep_curves(config: Config) -> None:
    """Let a training run leave its precision-recall curves in its folder, in place."""
    config.default_hooks.curves = {'type': 'rethink_det.CurvesHook'}


def detector_measurements(
    config: Config,
    architecture: PrunedArchitecture,
    state: Mapping[str, Tensor],
    checkpoint: str | os.PathLike,
) -> DetectorMeasurements:
    """Measure what there is to measure; detections on a few images go into a file.

    Args:
        config: Of the trained detector.
        architecture: Of its backbone.
        state: Its weights.
        checkpoint: Their file, in the folder of the run.
    """
    attempt = Attempts()
    size = attempt('input_shape', lambda: input_size(config))
    cost = attempt('macs', lambda: detector_cost(config, known(size, 'input_shape').shape))
    at_work = attempt(_AT_WORK, lambda: _at_work(config, checkpoint, attempt)) or _AtWork()
    attempt('curves', lambda: _check_curves(Path(checkpoint).parent))
    return DetectorMeasurements(
        **(fields_of(cost) if cost else _size_alone(state, size, attempt)),
        input_origin=size.origin if size else None,
        spent=_spent(config, cost, attempt),
        stages=attempt('stages', lambda: _stages(config, architecture)),
        latency_ms=at_work.latency_ms,
        latency_device=at_work.latency_device,
        peak_memory_mib=at_work.peak_memory_mib,
        **kept_replicates(Path(checkpoint).parent, attempt),
        unmeasured=attempt.unmeasured,
    )


class _AtWork(NamedTuple):
    """What is measured while the detector looks at images."""

    latency_ms: float | None = None
    latency_device: str | None = None
    peak_memory_mib: float | None = None


_AT_WORK = 'latency_ms, peak_memory_mib, sheet'


def _at_work(config: Config, checkpoint: str | os.PathLike, attempt: Attempts) -> _AtWork:
    with detector_at_work(config, checkpoint) as work:
        attempt('sheet', lambda: work.write_sheet(Path(checkpoint).parent))
        memory = attempt('peak_memory_mib', lambda: positive(work.peak_memory_mib()))
        latency = attempt('latency_ms', lambda: (positive(work.latency_ms()), work.latency_device))
    latency_ms, device = latency or (None, None)
    return _AtWork(latency_ms, device, memory)


def fields_of(cost: DetectorCost) -> dict[str, Any]:
    """Fields of a result that say what a detector costs."""
    return {
        **asdict(cost.whole),
        'macs_of': WHOLE,
        'backbone_params': cost.backbone.params,
        'backbone_macs': cost.backbone.macs,
        'regions': cost.regions,
    }


def _size_alone(
    state: Mapping[str, Tensor], size: InputSize | None, attempt: Attempts
) -> dict[str, Any]:
    """What is known of a detector that cannot be counted."""
    params = attempt('params', lambda: positive(_parameters(state)))
    return {'params': params, 'input_shape': size.shape if size else None}


def _spent(config: Config, cost: DetectorCost | None, attempt: Attempts) -> Spent:
    """What the training took, and the evaluations during it."""

    def macs() -> int:
        return known(cost, 'macs').whole.macs

    idle = cost.idle if cost else ()
    return Spent(
        training=attempt('train_macs', lambda: positive(ledger.of_training(config, macs()))),
        pruning=0,
        evaluation=attempt('evaluation', lambda: ledger.of_evaluations([config], macs())),
        device_s={},
        not_counted=tuple(f'{part}, which inference does not run' for part in idle),
    )


def _parameters(state: Mapping[str, Tensor]) -> int:
    return sum(t.numel() for name, t in state.items() if name.rpartition('.')[2] not in _BUFFERS)


_BUFFERS = ('running_mean', 'running_var', 'num_batches_tracked')


def _stages(config: Config, architecture: PrunedArchitecture) -> tuple[FeatureMapWidths, ...]:
    backbone = detector_of(config)[1].backbone
    runtime = {key: v for key, v in backbone.items() if key not in ('type', 'architecture')}
    return tuple(FeatureMapWidths(**one) for one in stage_widths(architecture, runtime))


def _check_curves(folder: Path) -> None:
    """Refuse curves that the training could not leave; metrics of other packages leave none."""
    if (folder / CURVES).exists():
        reason = read_object(folder / CURVES, 'evaluate again').get(UNMEASURED)
        if reason:
            raise UserError(f'{reason}')
