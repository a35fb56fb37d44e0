"""Networks as programs of torch, which need no code of theirs, compared before anyone gets them.

``.pt2`` is what ``torch.export`` writes, ``.ts`` TorchScript, for runtimes that are older.
"""

import io
import json
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
from mmengine.config import Config
from torch import Tensor

from rethink_det.errors import UserError, in_one_line
from rethink_det.export.file import exportable_of
from rethink_det.export.onnx import BATCHES, TOLERANCE, Exportable
from rethink_det.files import plain, replacing

EXPORTED, SCRIPTED = '.pt2', '.ts'


@dataclass(frozen=True)
class ProgramFile:
    """A file that was written.

    Attributes:
        path: The file.
        exportable: The network in it; what its inputs and outputs are.
        difference: How far the program is from the network on random images, as a share of the
            largest value of an output.
    """

    path: Path
    exportable: Exportable
    difference: float


class Program:
    """The content of a file, run by torch on the CPU.

    Args:
        content: Of the file.
        suffix: Which format it has.
        settings: Further inputs and the values that they have if none are given.
    """

    def __init__(self, content: bytes, suffix: str, settings: Mapping[str, float]) -> None:
        file = io.BytesIO(content)
        self._settings = settings
        self._run: Callable[..., Any] = (
            torch.export.load(file).module() if suffix == EXPORTED else torch.jit.load(file)
        )

    @torch.no_grad()
    def run(self, images: Tensor, **settings: float) -> list[Tensor]:
        """What the program puts out, in order."""
        values = [torch.tensor(value) for value in {**self._settings, **settings}.values()]
        outputs = self._run(images, *values)
        return [outputs] if isinstance(outputs, Tensor) else list(outputs)


def export_program(
    checkpoint: str | os.PathLike,
    out: str | os.PathLike | None = None,
    config: Config | None = None,
    *,
    input_shape: Sequence[int] | None = None,
    backbone: bool = False,
    heads: bool = False,
    batch: int | str | None = None,
    normalise: bool = False,
    ema: bool = False,
) -> ProgramFile:
    """Write a trained network as a program of torch, if it computes what the network does.

    Args:
        checkpoint: Its weights.
        out: The file, ``.pt2`` (``torch.export``) or ``.ts`` (TorchScript); default: ``.pt2``
            beside the checkpoint.
        config: As are the rest, of :func:`.file.export_onnx`.
        input_shape: As there.
        backbone: As there.
        heads: As there.
        batch: As there.
        normalise: As there.
        ema: As there.

    Raises:
        UserError: The checkpoint cannot be read or exported that way, or the program disagrees
            with the network. Nothing is written then.
    """
    path = program_path(checkpoint, out)
    exportable = exportable_of(
        checkpoint, config, input_shape, backbone, heads, batch, normalise, ema
    )
    content, difference = to_program(exportable, path.suffix)
    with replacing(path) as file:
        file.write(content)
    return ProgramFile(path, exportable, difference)


def program_path(checkpoint: str | os.PathLike, out: str | os.PathLike | None) -> Path:
    """Which file :func:`export_program` writes; arguments as there.

    Raises:
        UserError: Its name ends in neither suffix.
    """
    path = Path(checkpoint).with_suffix(EXPORTED) if out is None else Path(out)
    if path.suffix not in (EXPORTED, SCRIPTED):
        raise UserError(
            f'{path}: the name of a program ends in {EXPORTED} (torch.export) or {SCRIPTED} '
            '(TorchScript).'
        )
    return path


def to_program(exportable: Exportable, suffix: str) -> tuple[bytes, float]:
    """The content of a file, and how far it is from the network on random images.

    Args:
        exportable: The network.
        suffix: Which format.

    Raises:
        UserError: The network cannot be exported, or the program disagrees with it.
    """
    written = io.BytesIO()
    images = exportable.random_images(exportable.batch or 2)  # 1 would be taken for a constant
    settings = [torch.tensor(value) for value in exportable.settings.values()]
    write = _export if suffix == EXPORTED else _script
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of traces: each number of Python is one
            write(exportable, (images, *settings), written)
        peer = Program(written.getvalue(), suffix, exportable.settings)
        difference = _difference(exportable, peer)
    except UserError:
        raise
    except Exception as error:  # of any compiler pass
        raise UserError(
            f'{type(exportable.network).__name__} cannot be a {suffix} file: '
            f'{in_one_line(error)}. {_another_way(exportable)}'
        ) from error
    if not difference <= TOLERANCE:
        raise UserError(
            f'The {suffix} program and the network disagree on random images by {difference:.1e} '
            f'of the largest value, allowed are {TOLERANCE:g}; nothing was written.'
        )
    return written.getvalue(), difference


def _another_way(exportable: Exportable) -> str:
    if exportable.settings:  # a whole detector
        return f'Take {SCRIPTED}, or --heads.'
    return 'Take the other format.' if exportable.batch else 'Does it go with --batch 1?'


def _difference(exportable: Exportable, peer: Program) -> float:
    batches = BATCHES if exportable.batch is None else (exportable.batch, exportable.batch)
    found = [
        exportable.difference(exportable, peer, exportable.random_images(batch, seed))
        for seed, batch in enumerate(batches, 1)
    ]
    if exportable.settings and not _stands_nothing(exportable, peer):
        found.append(float('inf'))
    return torch.tensor(found).max().item()  # nan if one is


def _stands_nothing(exportable: Exportable, peer: Program) -> bool:
    """Whether a program runs where a setting leaves nothing of its outputs."""
    images, none = exportable.random_images(1), dict.fromkeys(exportable.settings, 1.0)
    ours, theirs = exportable.run(images, **none), peer.run(images, **none)
    return [one.shape for one in ours] == [one.shape for one in theirs]


def _export(exportable: Exportable, inputs: tuple[Tensor, ...], file: BinaryIO) -> None:
    shapes = ({0: torch.export.Dim('batch')}, *[None] * (len(inputs) - 1))
    program = torch.export.export(
        exportable.network,
        inputs,
        dynamic_shapes=None if exportable.batch else shapes,
        strict=False,
    )
    torch.export.save(program, file, extra_files=_told(exportable))


def _script(exportable: Exportable, inputs: tuple[Tensor, ...], file: BinaryIO) -> None:
    program = torch.jit.trace(exportable.network, inputs, check_trace=False)
    torch.jit.save(program, file, _extra_files=_told(exportable))


def _told(exportable: Exportable) -> dict[str, str]:
    return {f'{key}.json': json.dumps(plain(value)) for key, value in exportable.meta.items()}
