"""What is measured of a trained detector besides its metrics: speed, memory, and pictures."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset, pseudo_collate
from mmengine.model import BaseModel

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.detection.load_detector import load_detector
from rethink_det.detection.measuring.latency import SECONDS, median_latency
from rethink_det.detection.measuring.peak_memory import peak_memory
from rethink_det.detection.measuring.pictures import detections, first_images, picture
from rethink_det.errors import UserError
from rethink_det.files import save_json
from rethink_det.layout import SHEET
from rethink_det.registered import build, scope_of
from rethink_det.registry import DATASETS
from rethink_det.training.device import current_device, name_of

IMAGES = 5
THRESHOLD = 0.3
"""Score from which a detection is shown."""
MIB = 2**20


@dataclass(frozen=True)
class DetectorAtWork:
    """A trained detector that has looked at a few images once, and can do so again.

    Attributes:
        detector: In evaluation mode.
        device: Where it is.
        dataset: Whose images they are.
        positions: Of the images in it.
        looks: Each lets the detector look at one of the images.
        found: What it found on each, mmdet's ``pred_instances``.
    """

    detector: BaseModel
    device: torch.device
    dataset: BaseDataset
    positions: Sequence[int]
    looks: Sequence[Callable[[], list]]
    found: Sequence[Any]

    def latency_ms(self, seconds: float = SECONDS) -> float:
        """Median time from a decoded, resized image to its detections, batch 1.

        Args:
            seconds: That it takes to measure, about.
        """
        return round(median_latency(self.looks, self.device, seconds), 3)

    @property
    def latency_device(self) -> str:
        """The device in words."""
        return name_of(self.device)

    def peak_memory_mib(self) -> float:
        """Of the image that takes most, weights included, see :func:`.peak_memory.peak_memory`."""
        most = max(peak_memory(self.detector, look, self.device) for look in self.looks)
        return round(most / MIB, 2)

    def write_sheet(self, folder: str | os.PathLike) -> None:
        """Write what is on the images and what was found there into ``sheet.json``."""
        pairs = zip(self.positions, self.found, strict=True)
        images = [
            {**picture(self.dataset.get_data_info(i)), 'found': detections(one, THRESHOLD)}
            for i, one in pairs
        ]
        classes = self.dataset.metainfo['classes']
        sheet = {'classes': classes, 'threshold': THRESHOLD, 'images': images}
        save_json(sheet, Path(folder) / SHEET)


@contextmanager
def detector_at_work(config: Config, checkpoint: str | os.PathLike) -> Iterator[DetectorAtWork]:
    """Let a detector look at the first validation images with objects, one at a time.

    Torch's generators are left as they were.

    Args:
        config: That trained it.
        checkpoint: Its weights.

    Raises:
        UserError: The config has no ``val_dataloader``, no image of it has an object, or the
            checkpoint does not fit.
    """
    if config.get('val_dataloader') is None:
        raise UserError('The config has no val_dataloader.')
    device = current_device()
    with (
        torch.random.fork_rng([device.index] if device.type == 'cuda' else []),
        scope_of(config, 'mmdet'),
        torch.no_grad(),
    ):
        detector = load_detector(_whole(config), Checkpoint.read(checkpoint))
        detector.to(device).eval()
        dataset = build(DATASETS, config.val_dataloader.dataset)
        positions = first_images(dataset, IMAGES)
        if not positions:
            raise UserError('val_dataloader.dataset has no image with an object.')
        looks = [_look(detector, dataset[position]) for position in positions]
        found = [look()[0].pred_instances for look in looks]
        yield DetectorAtWork(detector, device, dataset, positions, looks, found)


def _whole(config: Config) -> Config:
    """The config with the preprocessor inside the model, where a Runner would put it."""
    preprocessor = config.get('data_preprocessor')
    if preprocessor is None or 'data_preprocessor' in config.model:
        return config
    return Config({**config, 'model': {**config.model, 'data_preprocessor': preprocessor}})


def _look(detector: BaseModel, sample: Mapping) -> Callable[[], list]:
    return partial(detector.test_step, pseudo_collate([sample]))
