"""A trained classifier that can be asked what is on pictures."""

from collections.abc import Callable, Iterable, Iterator
from os import PathLike
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.classification.arm_config import classifier_architecture
from rethink_det.classification.prediction.classified import Classified
from rethink_det.classification.prediction.classifier_input import ClassifierInput
from rethink_det.datasets.pixels import Picture, name_of, rgb_of
from rethink_det.errors import UserError
from rethink_det.training.config import load_config
from rethink_det.training.device import current_device


class PictureClassifier:
    """What computes scores of images, ready for pictures.

    Args:
        scores: Of ``(1, 3, H, W)``, normalised or pixels, those of the classes, ``(1, classes)``.
        reads: How pictures are made ready.
        pixels: Whether it is handed RGB pixels, uint8, and normalises them itself.
    """

    def __init__(
        self, scores: Callable[[Tensor], Tensor], reads: ClassifierInput, pixels: bool = False
    ) -> None:
        self.reads, self._scores, self._pixels = reads, scores, pixels

    def predict(self, pictures: Picture | Iterable[Picture]) -> Any:
        """What pictures are taken for.

        Args:
            pictures: One, or several.

        Returns:
            :class:`Classified` of one picture, a list of them of several.

        Raises:
            UserError: A file is no picture that can be read.
        """
        if isinstance(pictures, Iterable) and not isinstance(pictures, Picture):
            return list(self.stream(pictures))
        return self._one(pictures)

    def stream(self, pictures: Iterable[Picture]) -> Iterator[Classified]:
        """As :meth:`predict`, one after the other."""
        yield from map(self._one, pictures)

    def scores(self, pixels: Tensor) -> Tensor:
        """Scores of ``(N, 3, H, W)``, RGB pixels of the size that it looks at."""
        return self._scores(pixels if self._pixels else self.reads.normalised(pixels))

    def _one(self, picture: Picture) -> Classified:
        pixels = self.reads.pixels(rgb_of(picture))
        scores = self.scores(pixels[None])[0].float().softmax(0).cpu().numpy()
        names = self.reads.classes or tuple(map(str, range(len(scores))))
        if len(names) != len(scores):
            raise UserError(
                f'The network scores {len(scores)} classes, and {len(names)} are named.'
            )
        return Classified(scores, names, name_of(picture))


class LoadedClassifier(PictureClassifier):
    """A trained classifier, ready for pictures.

    Args:
        checkpoint: Its weights; it says what the network is and how its images are normalised.
        config: That trained it, which says so of an older checkpoint.

    Attributes:
        model: The network itself, in evaluation mode.

    Raises:
        UserError: Neither says what the network is or how images are normalised, or the weights
            are of another.
    """

    def __init__(self, checkpoint: Checkpoint, config: Config | None = None) -> None:
        architecture = _architecture(checkpoint, config)
        preprocessor = (config.model if config else {}).get('data_preprocessor')
        convention = checkpoint.input_convention or InputConvention.of_settings(preprocessor)
        if convention is None:
            raise UserError(
                f'{checkpoint.path} does not say how its images are normalised: give the config '
                'that trained it by --config.'
            )
        device = current_device()
        self.model = architecture.network_with(checkpoint.weights).eval().to(device)
        reads = ClassifierInput.of(architecture.input_shape, convention, checkpoint.classes, config)
        super().__init__(torch.no_grad()(lambda images: self.model(images.to(device))), reads)


def _architecture(checkpoint: Checkpoint, config: Config | None) -> PrunedArchitecture:
    if checkpoint.architecture is not None:
        return PrunedArchitecture.load(checkpoint)
    if config is None:
        raise UserError(
            f'{checkpoint.path} does not describe its architecture: give the config that trained '
            'it by --config.'
        )
    return classifier_architecture(config)


def load_classifier(
    checkpoint: str | PathLike, config: str | PathLike | None = None, ema: bool = False
) -> LoadedClassifier:
    """A trained classifier, to be asked what is on pictures.

    Args:
        checkpoint: Its file.
        config: That trained it; needed only where the checkpoint does not say what it is. It also
            says how large pictures are made before their middle is taken.
        ema: Take the weights that were averaged over the training.

    Raises:
        UserError: As of :class:`LoadedClassifier`.
    """
    read = Checkpoint.read(checkpoint, ema)
    return LoadedClassifier(read, load_config(str(config)) if config else None)
