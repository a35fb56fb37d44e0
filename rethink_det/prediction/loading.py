"""A trained network by its place: a checkpoint, the work dir of a training, an ONNX file."""

from os import PathLike
from pathlib import Path

from mmengine.config import Config

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.classification.arm_config import is_classifier
from rethink_det.classification.prediction import LoadedClassifier, PictureClassifier
from rethink_det.detection.prediction import LoadedDetector, PictureDetector
from rethink_det.detection.prediction.trained_files import config_beside, find_checkpoint
from rethink_det.errors import UserError
from rethink_det.prediction.exported import is_exported, load_exported
from rethink_det.segmentation.segmenter import is_segmenter
from rethink_det.training.config import load_config

Loaded = PictureDetector | PictureClassifier


def load_network(
    place: str | PathLike, config: str | PathLike | None = None, ema: bool = False
) -> Loaded:
    """A trained detector or classifier, to be asked about pictures.

    Args:
        place: Its checkpoint, the work dir of its training, or the ONNX file that
            ``rethink-det export`` wrote.
        config: That trained it, if it does not lie beside the checkpoint. A classifier's
            checkpoint and an ONNX file of this package need none.
        ema: Take the weights that were averaged over the training.

    Raises:
        UserError: There is no checkpoint or no config, they do not fit, or what the file is
            cannot be told.

    Example:
        >>> from rethink_det import load_network
        >>> classifier = load_network('trained.pth', 'classifier.py')
        >>> found = classifier.predict('detector/shapes/val/000001.png')
        >>> len(found.top()), 0.5 <= found.top(1)[0].score <= 1
        (2, True)
    """
    given = load_config(str(config)) if config is not None else None
    if is_exported(place):
        if ema:
            raise UserError(f'{place}: --ema is of checkpoints; an exported file has one network.')
        return load_exported(place, given)
    path = find_checkpoint(place)
    checkpoint = Checkpoint.read(path, ema)
    given = given or _beside(path, checkpoint)
    if given is None or is_classifier(given):
        return LoadedClassifier(checkpoint, given)
    if is_segmenter(given):
        raise UserError(f'{path} is a segmenter: asked are detectors and classifiers.')
    return LoadedDetector(given, checkpoint)


def load_detector(
    place: str | PathLike, config: str | PathLike | None = None, ema: bool = False
) -> PictureDetector:
    """A trained detector, to be asked what is on pictures; arguments as of :func:`load_network`.

    Raises:
        UserError: As there, or it is a classifier.

    Example:
        >>> from rethink_det import load_detector
        >>> detector = load_detector('detector/epoch_1.pth')
        >>> found = detector.predict('detector/shapes/val/000001.png', threshold=0)
        >>> found.size, len(found.names) == len(found.boxes) == len(found.masks)
        ((128, 128), True)
    """
    loaded = load_network(place, config, ema)
    if not isinstance(loaded, PictureDetector):
        raise UserError(f'{place} is a classifier, no detector: load it by load_network.')
    return loaded


def _beside(path: Path, checkpoint: Checkpoint) -> Config | None:
    """The config beside a checkpoint; None of a classifier that needs none.

    What lies beside a checkpoint need not be its config: one that is another's is left alone
    where the checkpoint says all that is asked.
    """
    describes = checkpoint.architecture is not None and checkpoint.input_convention is not None
    if describes and any(name.startswith('head.') for name in checkpoint.weights):
        try:
            found = load_config(str(config_beside(path)))
        except UserError:
            return None
        return found if is_classifier(found) else None
    return load_config(str(config_beside(path)))
