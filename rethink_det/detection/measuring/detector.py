"""What is measured of a trained detector besides its metrics: speed, memory, and pictures."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset, pseudo_collate
from mmengine.model import BaseModel

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.detection.measuring.latency import (
    SECONDS,
    median_latency,
    name_of,
)
from rethink_det.detection.measuring.peak_memory import peak_memory
from rethink_det.detection.measuring.pictures import detections, first_images, picture
from rethink_det.detection.trained_detector import trained_detector
from rethink_det.errors import UserError
from rethink_det.files import save_json
from rethink_det.layout import SHEET
from rethink_det.registered import build, scope_of
from rethink_det.registry import DATASETS
from rethink_det.training.device import current_device

IMAGES = 5
THRESHOLD = 0.3
"""Score from which a detection is shown."""
MIB = 2**20


def measure_detector(
    config: Config,
    checkpoint: str | os.PathLike,
    folder: str | os.PathLike,
    seconds: float = SECONDS,
) -> dict[str, Any]:
    """Let a detector look at the first validation images with objects, one at a time.

    Writes ``sheet.json`` into ``folder``. Torch's generators are left as they were.

    Args:
        config: That trained it, with a ``val_dataloader``.
        checkpoint: Its weights.
        folder: Of the run.
        seconds: For the latency, about.

    Returns:
        ``latency_ms``: median time from the decoded, resized image to detections;
        ``latency_device``; ``peak_memory_mib``: weights included, see
        :func:`~rethink_det.detection.measuring.peak_memory.peak_memory`.

    Raises:
        UserError: No validation image has an object, or the checkpoint does not fit.
    """
    device = current_device()
    with (
        torch.random.fork_rng([device.index] if device.type == 'cuda' else []),
        scope_of(config, 'mmdet'),
        torch.no_grad(),
    ):
        detector = trained_detector(_whole(config), Checkpoint.read(checkpoint))
        detector.to(device).eval()
        dataset = build(DATASETS, config.val_dataloader.dataset)
        chosen = first_images(dataset, IMAGES)
        if not chosen:
            raise UserError('val_dataloader.dataset has no image with an object.')
        calls = [_call(detector, dataset[position]) for position in chosen]
        found = [call()[0].pred_instances for call in calls]  # also the first call of each
        save_json(_sheet(dataset, chosen, found), Path(folder) / SHEET)
        memory = max(peak_memory(detector, call, device) for call in calls)
        latency = median_latency(calls, device, seconds)
    return {
        'latency_ms': round(latency, 3),
        'latency_device': name_of(device),
        'peak_memory_mib': round(memory / MIB, 2),
    }


def _whole(config: Config) -> Config:
    """The config with the preprocessor inside the model, where a Runner would put it."""
    preprocessor = config.get('data_preprocessor')
    if preprocessor is None or 'data_preprocessor' in config.model:
        return config
    return Config({**config, 'model': {**config.model, 'data_preprocessor': preprocessor}})


def _sheet(dataset: BaseDataset, chosen: Sequence[int], found: Sequence[Any]) -> dict[str, Any]:
    images = [
        {**picture(dataset.get_data_info(position)), 'found': detections(one, THRESHOLD)}
        for position, one in zip(chosen, found, strict=True)
    ]
    return {'classes': dataset.metainfo['classes'], 'threshold': THRESHOLD, 'images': images}


def _call(detector: BaseModel, sample: Mapping) -> Callable[[], list]:
    return partial(detector.test_step, pseudo_collate([sample]))
