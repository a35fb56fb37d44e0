"""What a study notes of a segmenter besides its metrics; a run never fails for lack of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.detection.measuring.input_size import input_size
from rethink_det.detection.measuring.stages import stage_widths
from rethink_det.report.run_result import FeatureMapWidths
from rethink_det.report.spent import Spent
from rethink_det.segmentation.cost import SegmenterCost, segmenter_cost
from rethink_det.study import ledger
from rethink_det.study.attempts import Attempts, known, positive
from rethink_det.study.kept_replicates import kept_replicates


@dataclass(frozen=True)
class SegmenterMeasurements:
    """Fields of :class:`~rethink_det.report.run_result.RunResult`, which says what they are.

    What could not be measured is None, and ``unmeasured`` says what that is and why.
    """

    params: int | None = None
    input_shape: tuple[int, ...] | None = None
    input_origin: str | None = None
    macs: float | None = None
    macs_conv: float | None = None
    macs_linear: float | None = None
    backbone_params: int | None = None
    backbone_macs: float | None = None
    spent: Spent = Spent(pruning=0, device_s={})
    stages: tuple[FeatureMapWidths, ...] | None = None
    test_images: int | None = None
    test_digest: str | None = None
    replicates: Mapping[str, tuple[float, ...]] | None = None
    unmeasured: str | None = None


def segmenter_measurements(
    config: Config, architecture: PrunedArchitecture, checkpoint: Path
) -> SegmenterMeasurements:
    """Measure what there is to measure.

    Args:
        config: Of the trained segmenter.
        architecture: Of its backbone.
        checkpoint: File of its weights, in the folder of the run.
    """
    attempt = Attempts()
    size = attempt('input_shape', lambda: input_size(config))
    cost = attempt('macs', lambda: segmenter_cost(config, known(size, 'input_shape').shape))
    return SegmenterMeasurements(
        **(_fields_of(cost) if cost else {'input_shape': size.shape if size else None}),
        input_origin=size.origin if size else None,
        spent=_spent(config, cost, attempt),
        stages=attempt('stages', lambda: _stages(config, architecture)),
        **kept_replicates(checkpoint.parent, attempt),
        unmeasured=attempt.unmeasured,
    )


def _fields_of(cost: SegmenterCost) -> dict[str, Any]:
    return {
        **asdict(cost.whole),
        'backbone_params': cost.backbone.params,
        'backbone_macs': cost.backbone.macs,
    }


def _spent(config: Config, cost: SegmenterCost | None, attempt: Attempts) -> Spent:
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


def _stages(config: Config, architecture: PrunedArchitecture) -> tuple[FeatureMapWidths, ...]:
    backbone = config.model.backbone
    runtime = {key: v for key, v in backbone.items() if key not in ('type', 'architecture')}
    return tuple(FeatureMapWidths(**one) for one in stage_widths(architecture, runtime))
