"""ONNX of a network, compared with PyTorch before anyone gets it.

Written by ``torch.onnx.export(dynamo=True)``, which exports every network of this package and
the data-dependent parts of a detector; the exporter by TorchScript is deprecated. Needs the
optional extra ``export``, whose modules are imported when they are used.
"""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from rethink_det.architecture.cost import Cost
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.errors import UserError
from rethink_det.files import plain

TOLERANCE = 1e-4
"""How far onnxruntime may be from PyTorch, as a share of an output's largest value: float32 has
seven digits, and sums are taken in another order."""

OPSET = 18
BATCHES = (1, 3)
"""Batch sizes at which a file for any batch size is compared."""

IMAGES = 'images'
"""Name of the first input, ``(N, C, H, W)``."""


class Peer(Protocol):
    """What is in a file, run by what it was written for."""

    def run(self, images: Tensor, **settings: float) -> list[Tensor]:
        """What it puts out, in order."""


def largest_difference(exportable: 'Exportable', peer: Peer, images: Tensor) -> float:
    """The largest difference of any two values, as a share of the largest value of the output.

    Infinite where shapes differ, nan where values are.
    """
    pairs = list(zip(exportable.run(images), peer.run(images), strict=True))
    if any(ours.shape != theirs.shape for ours, theirs in pairs):
        return float('inf')
    tiny = torch.finfo(torch.float32).tiny
    shares = [(a - b).abs().max() / a.abs().max().clamp(min=tiny) for a, b in pairs]
    return torch.stack(shares).max().item()


@dataclass(frozen=True)
class Exportable:
    """A network and what its file is going to say.

    Attributes:
        network: Reads images, and after them the settings; returns a tensor, or a tuple of them.
            It is put into evaluation mode.
        input_shape: ``(channels, height, width)``, fixed in the file.
        outputs: Their names.
        batch: Images at a time; None for any number.
        pixels: Whether images are uint8; else float32.
        settings: Further inputs, scalars, with the values that they have if none are given.
        meta: Plain values that the file carries as JSON, by key; onnxruntime has them in
            ``get_modelmeta().custom_metadata_map``.
        difference: Says how far what runs the file is from PyTorch on given images.
        cost: Of the network at this input, if it was counted.
        convention: How its images are normalised, if that is known.
    """

    network: nn.Module
    input_shape: tuple[int, int, int]
    outputs: tuple[str, ...]
    batch: int | None = None
    pixels: bool = False
    settings: Mapping[str, float] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)
    difference: Callable[['Exportable', Peer, Tensor], float] = largest_difference
    cost: Cost | None = None
    convention: InputConvention | None = None

    def __post_init__(self) -> None:
        self.network.eval()  # returns None where it is an mmdet.ResNet

    def random_images(self, batch: int, seed: int = 0) -> Tensor:
        """``(batch, C, H, W)``, the same for the same seed."""
        generator = torch.Generator().manual_seed(seed)
        shape = (batch, *self.input_shape)
        if self.pixels:
            return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        return torch.randn(shape, generator=generator)

    @torch.no_grad()
    def run(self, images: Tensor, **settings: float) -> list[Tensor]:
        """What PyTorch puts out."""
        values = [torch.tensor(value) for value in {**self.settings, **settings}.values()]
        outputs = self.network(images, *values)
        return [outputs] if isinstance(outputs, Tensor) else list(outputs)


class OnnxNetwork:
    """The content of an ONNX file, run by onnxruntime on the CPU with torch's thread count.

    Attributes:
        session: onnxruntime's ``InferenceSession``.

    Raises:
        UserError: The extra is not installed, or onnxruntime cannot run the file.
    """

    def __init__(self, content: bytes) -> None:
        runtime = _extra('onnxruntime')
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # errors
        providers = ['CPUExecutionProvider']
        with _refusing():
            self.session = runtime.InferenceSession(content, options, providers=providers)

    def run(self, images: Tensor, **settings: float) -> list[Tensor]:
        """What onnxruntime puts out, in order."""
        values = {name: torch.tensor(value).numpy() for name, value in settings.items()}
        with _refusing():
            outputs = self.session.run(None, {IMAGES: images.numpy(), **values})
        return [torch.from_numpy(value) for value in outputs]


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # onnxruntime's have no base class of their own
        brief = str(error).splitlines()[0]
        raise UserError(f'onnxruntime cannot run the exported network: {brief}') from error


def to_onnx(exportable: Exportable) -> tuple[bytes, float]:
    """The content of an ONNX file, and how far it is from PyTorch on random images.

    Raises:
        UserError: The extra is not installed, the network cannot be exported, or onnxruntime
            cannot run it or disagrees with PyTorch.
    """
    check_installed()
    content = _translated(exportable)
    peer = OnnxNetwork(content)
    batches = BATCHES if exportable.batch is None else (exportable.batch, exportable.batch)
    differences = [
        exportable.difference(exportable, peer, exportable.random_images(batch, seed))
        for seed, batch in enumerate(batches)
    ]
    worst = torch.tensor(differences).max().item()  # nan if one is
    if not worst <= TOLERANCE:
        raise UserError(
            f'onnxruntime and PyTorch disagree on random images by {worst:.1e} of the largest '
            f'value, allowed are {TOLERANCE:g}; nothing was written. (nan: the network puts out '
            'nan, or infinite values.)'
        )
    return content, worst


def _translated(exportable: Exportable) -> bytes:
    images = exportable.random_images(exportable.batch or 2)  # torch.export takes 1 for a constant
    settings = [torch.tensor(value) for value in exportable.settings.values()]
    shapes = ({0: torch.export.Dim('batch')}, *[None] * len(settings))
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter('ignore', FutureWarning)  # of one library about another
            program = torch.onnx.export(
                exportable.network,
                (images, *settings),
                dynamo=True,
                verbose=False,
                opset_version=OPSET,
                input_names=[IMAGES, *exportable.settings],
                output_names=list(exportable.outputs),
                dynamic_shapes=None if exportable.batch else shapes,
            )
    except torch.onnx.OnnxExporterError as error:
        cause = str(error.__cause__ or error).strip().splitlines()[0]
        fixed = '' if exportable.batch else ' Does it go with a fixed batch size (--batch 1)?'
        raise UserError(
            f'{type(exportable.network).__name__} cannot be exported to ONNX: {cause}{fixed}'
        ) from error
    assert program is not None  # as dynamo=True makes one
    # Stack traces: paths of this machine, and half of a small network's file.
    _extra('onnx_ir').passes.common.ClearMetadataAndDocStringPass()(program.model)
    return _finished(program.model_proto, exportable)


def _finished(model: Any, exportable: Exportable) -> bytes:
    """The file's bytes, with the settings' defaults and the network's metadata."""
    onnx = _extra('onnx')
    defaults = [
        onnx.numpy_helper.from_array(torch.tensor(value).numpy(), name)
        for name, value in exportable.settings.items()
    ]
    model.graph.initializer.extend(defaults)  # of an input's name: its default
    onnx.helper.set_model_props(
        model, {k: json.dumps(plain(v)) for k, v in exportable.meta.items()}
    )
    return model.SerializeToString()


def check_installed() -> None:
    """Refuse where the extra is missing.

    Raises:
        UserError: Says how to install it.
    """
    for name in ('onnx', 'onnxscript', 'onnxruntime'):
        _extra(name)


def _extra(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise UserError(
            f"ONNX needs {name}, which is not installed: pip install 'rethink-det[export]'."
        ) from error
