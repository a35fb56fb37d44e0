"""A batch of mmdet's test data with what a detector in one graph finds on its pictures."""

from collections.abc import Mapping
from copy import deepcopy

import numpy as np
import torch
from mmdet.models.utils import samplelist_boxtype2tensor
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.structures import InstanceData
from torch import Tensor

from rethink_det.datasets.wrappers import unwrapped
from rethink_det.detection.prediction.graph_detector import GraphDetector
from rethink_det.registered import scope_of

GEOMETRY = ('Resize', 'FixShapeResize', 'Pad', 'RandomFlip', 'CenterCrop')
"""Steps of a test pipeline that the one size of such a detector takes the place of."""


def without_geometry(config: Config) -> Config:
    """A copy of a config whose test pipelines hand over pictures as they are."""
    config = deepcopy(config)
    with scope_of(config, 'mmdet'):
        for settings, _ in unwrapped(config.test_dataloader.dataset, 'test_dataloader.dataset'):
            steps: list[Mapping] = settings.get('pipeline') or []
            steps[:] = [step for step in steps if _name(step) not in GEOMETRY]
    return config


def answered(detector: GraphDetector, data: Mapping) -> list[DetDataSample]:
    """The samples of a batch, with what is found.

    Args:
        detector: The detector.
        data: ``inputs``, pictures ``(3, h, w)`` uint8 in mmdet's order BGR, of whatever size, and
            ``data_samples``.
    """
    samples: list[DetDataSample] = data['data_samples']
    samplelist_boxtype2tensor(samples)
    for image, sample in zip(data['inputs'], samples, strict=True):
        sample.pred_instances = _found(detector, image)
    return samples


def _found(detector: GraphDetector, image: Tensor) -> InstanceData:
    found = detector.found(np.ascontiguousarray(image.permute(1, 2, 0).flip(-1).numpy()))
    instances = InstanceData(
        bboxes=torch.from_numpy(found.boxes),
        scores=torch.from_numpy(found.scores),
        labels=torch.from_numpy(found.labels),
    )
    if found.masks is not None:
        instances.masks = torch.from_numpy(found.masks)
    return instances


def _name(step: Mapping) -> str:
    return str(step.get('type')).rpartition('.')[2]
