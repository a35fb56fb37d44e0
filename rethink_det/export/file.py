"""A checkpoint as an ONNX file, which is written only if it computes what PyTorch does."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mmengine.config import Config

from rethink_det.defaults import ANY_BATCH
from rethink_det.errors import UserError
from rethink_det.export.networks import Shape, normalising, read_exportable
from rethink_det.export.onnx import Exportable, OnnxNetwork, check_installed, to_onnx
from rethink_det.files import replacing


@dataclass(frozen=True)
class OnnxFile:
    """A file that was written.

    Attributes:
        path: The file.
        exportable: The network in it, as PyTorch has it; what its inputs and outputs are.
        difference: How far onnxruntime is from PyTorch on random images, as a share of the
            largest value of an output.
    """

    path: Path
    exportable: Exportable
    difference: float

    def network(self) -> OnnxNetwork:
        """What is in the file, run by onnxruntime."""
        return OnnxNetwork(self.path.read_bytes())


def export_onnx(
    checkpoint: str | os.PathLike,
    out: str | os.PathLike | None = None,
    config: Config | None = None,
    *,
    input_shape: Sequence[int] | None = None,
    backbone: bool = False,
    heads: bool = False,
    batch: int | Literal['dynamic'] | None = None,
    normalise: bool = False,
    ema: bool = False,
) -> OnnxFile:
    """Write a trained network as an ONNX file, if onnxruntime agrees with PyTorch on it.

    Args:
        checkpoint: Its weights.
        out: The file; default: beside the checkpoint, under its name.
        config: That trained it; needed for detectors.
        input_shape: ``(channels, height, width)`` of an image; default: the architecture's;
            needed for detectors.
        backbone: Take the feature maps instead of scores or detections, of a detector those of
            its neck.
        heads: Of a detector take what its heads put out, before that becomes detections; see
            :class:`~.heads.RawHeads`.
        batch: Images at a time, or :data:`rethink_det.defaults.ANY_BATCH`; default: any number, of
            a whole detector one.
        normalise: Read RGB pixels, uint8, and normalise them inside.
        ema: Take the weights that were averaged over the training.

    Raises:
        UserError: The extra ``export`` is not installed, the checkpoint cannot be read or
            exported that way, or onnxruntime disagrees. Nothing is written then.

    Example:
        >>> from rethink_det import export_onnx
        >>> file = export_onnx('trained.pth', 'classifier.onnx', batch=1)
        >>> file.exportable.outputs
        ('scores',)
        >>> images = file.exportable.random_images(1)
        >>> [scores.shape for scores in file.network().run(images)]
        [torch.Size([1, 2])]
    """
    check_installed()
    path = onnx_path(checkpoint, out, backbone)
    exportable = exportable_of(
        checkpoint, config, input_shape, backbone, heads, batch, normalise, ema
    )
    content, difference = to_onnx(exportable)
    with replacing(path) as file:
        file.write(content)
    return OnnxFile(path, exportable, difference)


def exportable_of(
    checkpoint: str | os.PathLike,
    config: Config | None,
    input_shape: Sequence[int] | None,
    backbone: bool,
    heads: bool,
    batch: int | str | None,
    normalise: bool,
    ema: bool,
) -> Exportable:
    """What is exported; arguments and errors as of :func:`export_onnx`.

    Args:
        checkpoint: As there.
        config: As there.
        input_shape: As there.
        backbone: As there.
        heads: As there.
        batch: As there.
        normalise: As there.
        ema: As there.
    """
    exportable = read_exportable(checkpoint, config, _shape(input_shape), backbone, ema, heads)
    if normalise:
        exportable = normalising(exportable, checkpoint)
    return exportable if batch is None else _with_batch(exportable, batch)


def onnx_path(checkpoint: str | os.PathLike, out: str | os.PathLike | None, backbone: bool) -> Path:
    """Which file :func:`export_onnx` writes; arguments as there.

    Raises:
        UserError: Its name does not end in ``.onnx``.
    """
    source = Path(checkpoint)
    if out is None:
        return source.with_name(source.stem + ('-backbone.onnx' if backbone else '.onnx'))
    if Path(out).suffix != '.onnx':
        raise UserError(f'{out}: the name of an ONNX file ends in .onnx.')
    return Path(out)


def _shape(given: Sequence[int] | None) -> Shape | None:
    if given is None:
        return None
    if len(given) != 3 or min(given) < 1:
        raise UserError(f'--input-shape must be three positive numbers, got {given}.')
    channels, height, width = given
    return channels, height, width


def _with_batch(exportable: Exportable, batch: int | str) -> Exportable:
    if batch != ANY_BATCH and not (isinstance(batch, int) and batch > 0):
        raise UserError(f"--batch must be a positive number or '{ANY_BATCH}', got {str(batch)!r}.")
    if exportable.batch == 1 and batch != 1:  # a whole detector, or its heads
        raise UserError(f'A whole detector takes one image at a time, not --batch {batch}.')
    return replace(exportable, batch=batch) if isinstance(batch, int) else exportable
