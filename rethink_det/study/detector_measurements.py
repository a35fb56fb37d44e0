"""What a study notes of a detector besides its metrics; a run never fails for lack of it."""

import os
import traceback
from typing import Any

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.detection.measuring.detector import measure_detector
from rethink_det.detection.measuring.stages import stage_widths
from rethink_det.report.run_result import FeatureMapWidths


def keep_curves(config: Config) -> None:
    """Let a training run leave its precision-recall curves in its folder, in place."""
    config.default_hooks.curves = {'type': 'rethink_det.CurvesHook'}


def detector_facts(
    config: Config,
    architecture: PrunedArchitecture,
    checkpoint: str | os.PathLike,
    folder: str | os.PathLike,
) -> dict[str, Any]:
    """Latency, peak memory, widths; the detections on a few images go into a file.

    Args:
        config: Of the trained detector.
        architecture: Of its backbone.
        checkpoint: Its weights.
        folder: Of the run.

    Returns:
        Keys of :class:`~rethink_det.report.run_result.RunResult`. What could not be measured is
        missing, with the reason under ``unmeasured``: hours of training are not thrown away for
        it.
    """
    runtime = {k: v for k, v in config.model.backbone.items() if k not in ('type', 'architecture')}
    facts: dict[str, Any] = {}
    try:
        widths = stage_widths(architecture, runtime)
        facts['stages'] = tuple(FeatureMapWidths(**one) for one in widths)
        if config.get('val_dataloader') is None:
            facts['unmeasured'] = 'the config has no val_dataloader'
        else:
            facts |= measure_detector(config, checkpoint, folder)
    except Exception as error:
        traceback.print_exc()  # into the run's console.log
        facts['unmeasured'] = f'{type(error).__name__}: {error}'
    return facts
