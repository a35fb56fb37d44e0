"""A trained detector that can be asked what is on pictures."""

from collections.abc import Mapping
from copy import deepcopy
from os import PathLike
from typing import Any

import numpy as np
from mmdet.apis import inference_detector
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.model import BaseModel

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.datasets.pixels import Picture, name_of
from rethink_det.datasets.wrappers import unwrapped
from rethink_det.detection import load_detector as loading
from rethink_det.detection.datasets.check_data import class_names
from rethink_det.detection.prediction.detections import Detections
from rethink_det.detection.prediction.picture_detector import PictureDetector, numbered
from rethink_det.detection.prediction.trained_files import find_trained
from rethink_det.errors import UserError
from rethink_det.registered import scope_of
from rethink_det.training.config import load_config
from rethink_det.training.device import current_device


class LoadedDetector(PictureDetector):
    """A trained detector, ready for pictures.

    Args:
        config: That trained it; its test pipeline is what pictures go through.
        checkpoint: Its weights.

    Attributes:
        classes: Names of what it finds.
        model: The detector itself, in evaluation mode.

    Raises:
        UserError: The config is no detector or has no test data set, or the checkpoint is of
            another.
    """

    def __init__(self, config: Config, checkpoint: Checkpoint) -> None:
        dataset = (config.get('test_dataloader') or {}).get('dataset') or {}
        settings: Mapping[str, Any] = next(unwrapped(dataset, 'test_dataloader.dataset'))[0]
        if not settings.get('pipeline'):
            raise UserError(
                'The config has no test_dataloader.dataset.pipeline: how pictures are made ready '
                'for the detector is not known.'
            )
        self.model: BaseModel = loading.load_detector(config, checkpoint)
        self.model.cfg = config
        self.model.to(current_device())
        self.model.eval()
        self._scope, self._steps = config, [deepcopy(step) for step in settings['pipeline']]
        with scope_of(config, 'mmdet'):
            self.classes = class_names(settings)

    def _one(self, picture: Picture, threshold: float) -> Detections:
        given = picture if isinstance(picture, np.ndarray) else str(picture)
        with scope_of(self._scope, 'mmdet'):
            try:
                sample = inference_detector(self.model, given, self._pipeline(given))
            except (OSError, AttributeError, AssertionError) as error:
                raise UserError(f'{picture} is no picture that can be read.') from error
        found = sample.pred_instances.cpu().numpy()
        masks = found.get('masks')
        detections = Detections(
            boxes=found.bboxes.astype(np.float32),
            scores=found.scores.astype(np.float32),
            labels=found.labels.astype(np.int64),
            classes=self.classes or numbered(found.labels),
            size=tuple(sample.ori_shape[:2]),
            masks=None if masks is None else masks.astype(bool),
            image=name_of(picture),
        )
        return detections.sorted().above(threshold)

    def _pipeline(self, given: str | np.ndarray) -> Compose:
        """The test pipeline, which of a picture has no objects to load."""
        steps = [step for step in self._steps if not _named(step, 'LoadAnnotations')]
        if isinstance(given, np.ndarray):
            steps = [
                {**step, 'type': 'mmdet.LoadImageFromNDArray'}
                if _named(step, 'LoadImageFromFile')
                else step
                for step in steps
            ]
        return Compose(steps)


def load_detector(
    place: str | PathLike, config: str | PathLike | None = None, ema: bool = False
) -> LoadedDetector:
    """A trained detector, to be asked what is on pictures.

    Args:
        place: Its checkpoint, or the work dir of its training.
        config: That trained it, if it does not lie beside the checkpoint.
        ema: Take the weights that were averaged over the training.

    Raises:
        UserError: There is no checkpoint, no config, or they do not fit.

    Example:
        >>> from rethink_det import load_detector
        >>> detector = load_detector('detector/epoch_1.pth')
        >>> found = detector.predict('detector/shapes/val/000001.png', threshold=0)
        >>> found.size, len(found.names) == len(found.boxes) == len(found.masks)
        ((128, 128), True)
    """
    files = find_trained(place, config)
    return LoadedDetector(load_config(str(files.config)), Checkpoint.read(files.checkpoint, ema))


def _named(step: Any, name: str) -> bool:
    return str(step.get('type')).rpartition('.')[2] == name
