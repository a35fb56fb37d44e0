"""An ONNX file as a classifier or a detector that can be asked about pictures."""

import json
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config
from torch import Tensor

from rethink_det.architecture.checkpoint import CONVENTION
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.classification.arm_config import is_classifier
from rethink_det.classification.prediction import ClassifierInput, PictureClassifier
from rethink_det.detection.prediction import DetectorInput, GraphDetector
from rethink_det.detection.wrapped import detector_of
from rethink_det.errors import UserError
from rethink_det.export.detector import MASKS, OUTPUTS
from rethink_det.export.kinds import CLASSIFIER, DETECTOR, INPUT, KIND
from rethink_det.export.networks import SCORES
from rethink_det.export.onnx import IMAGES, OnnxNetwork

SUFFIX = '.onnx'
Exported = GraphDetector | PictureClassifier
Runs = Callable[[Tensor], list[Tensor]]
"""What a file puts out for images, in order."""


class Told(NamedTuple):
    """What a file is, and how pictures are made ready for it."""

    reads: ClassifierInput | DetectorInput
    pixels: bool

    def asked(self, run: Runs) -> Exported:
        """Its network, ready for pictures.

        Args:
            run: What runs it.
        """
        if isinstance(self.reads, DetectorInput):
            return GraphDetector(run, self.reads, self.pixels)
        return PictureClassifier(lambda images: run(images)[0], self.reads, self.pixels)


def is_exported(place: str | PathLike) -> bool:
    """Whether a file is an exported one, by its name."""
    return Path(place).suffix == SUFFIX


def load_exported(place: str | PathLike, config: Config | None = None) -> Exported:
    """What is in an ONNX file, run by onnxruntime.

    Args:
        place: The file.
        config: That trained it, for a file that does not say what it is; a file that does is
            asked itself.

    Raises:
        UserError: There is no such file, onnxruntime cannot run it, or what it is cannot be told.
    """
    network = read_network(place)
    return told_by(network, place, config).asked(network.run)


def read_network(place: str | PathLike) -> OnnxNetwork:
    """The network in a file; errors as of :func:`load_exported`."""
    path = Path(place)
    if not path.is_file():
        raise UserError(f'{path} does not exist.')
    return OnnxNetwork(path.read_bytes())


def told_by(network: OnnxNetwork, place: str | PathLike, config: Config | None = None) -> Told:
    """What a file is; arguments and errors as of :func:`load_exported`.

    Args:
        network: In the file.
        place: As there.
        config: As there.
    """
    inputs, outputs = network.session.get_inputs(), network.session.get_outputs()
    meta = _metadata(network, str(place))
    kind = meta.get(KIND) or (config and (CLASSIFIER if is_classifier(config) else DETECTOR))
    names = tuple(one.name for one in outputs)
    _check(str(place), kind, inputs[0].name, names)
    convention = InputConvention.from_dict(meta.get(CONVENTION), place) or _convention(config)
    if convention is None:
        raise UserError(
            f'{place} does not say how its images are normalised: give the config that trained it '
            'by --config.'
        )
    pixels = inputs[0].type == 'tensor(uint8)'
    said = meta.get(INPUT)
    if said is not None:
        reads = (ClassifierInput if kind == CLASSIFIER else DetectorInput).from_dict
        return Told(reads(_mapping(said, place), convention, str(place)), pixels)
    shape = tuple(inputs[0].shape[1:])
    if config is None or not all(isinstance(side, int) for side in shape):
        raise UserError(f'{place} does not say of which size its images are: export it again.')
    make = ClassifierInput if kind == CLASSIFIER else DetectorInput
    return Told(make.of(shape, convention, (), config), pixels)


def _check(place: str, kind: Any, image: str, outputs: tuple[str, ...]) -> None:
    """Refuse a file that is not known to be of a classifier or a detector."""
    if kind is None:
        raise UserError(
            f'{place} does not say what it is (metadata {KIND!r}): it is of an older version or of '
            'another tool. Export it again by rethink-det export, or give the config that trained '
            'it by --config.'
        )
    if kind not in (CLASSIFIER, DETECTOR):
        raise UserError(
            f'{place} holds {kind}, no whole network: export it without --backbone and --heads.'
        )
    known = [SCORES] if kind == CLASSIFIER else [OUTPUTS, (*OUTPUTS, MASKS)]
    if image != IMAGES or outputs not in known:
        raise UserError(
            f'{place} reads {image} and puts out {", ".join(outputs)}, where a {kind} that '
            f'rethink-det export wrote reads {IMAGES} and puts out {", ".join(known[-1])}.'
        )


def _metadata(network: OnnxNetwork, place: str) -> Mapping[str, Any]:
    """What a file says of itself, as far as this package knows such keys."""
    said = network.session.get_modelmeta().custom_metadata_map
    try:
        return {key: json.loads(said[key]) for key in (KIND, INPUT, CONVENTION) if key in said}
    except ValueError as error:
        raise UserError(f'{place}: its metadata are no JSON ({error}).') from error


def _convention(config: Config | None) -> InputConvention | None:
    if config is None:
        return None
    model = config.model if is_classifier(config) else detector_of(config)[1]
    return InputConvention.of_settings(model.get('data_preprocessor'))


def _mapping(value: Any, place: str | PathLike) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UserError(f'{place}: metadata {INPUT!r} is a {type(value).__name__}, no mapping.')
    return value
