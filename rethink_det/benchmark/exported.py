"""What an exported network is worth: metric, speed and size of the same file, by who runs it.

A file that is fast and finds nothing, or right and slow, is told by one row: each target is
evaluated on the config's test data, timed in turns with the others on pictures of these, and
compared with PyTorch on them.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from math import isnan
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor

from rethink_det.benchmark.timing import measure
from rethink_det.classification.arm_config import is_classifier
from rethink_det.defaults import TIMED_EXPORTS
from rethink_det.detection.load_detector import self_contained
from rethink_det.detection.measuring.input_size import input_size
from rethink_det.errors import UserError
from rethink_det.export.file import exportable_of
from rethink_det.export.onnx import Exportable, OnnxNetwork, Peer, to_onnx
from rethink_det.files import replacing
from rethink_det.prediction import evaluate_exported
from rethink_det.prediction.exported import Told, told_by
from rethink_det.training.launch import evaluate

PICTURES = 4
"""Of the test data, that all targets are timed and compared on."""

TORCH, RUNTIME, HALF, OPENVINO = (
    'torch fp32', 'onnxruntime fp32', 'onnxruntime fp16', 'openvino fp32'
)  # fmt: skip
FULL_FILE, HALF_FILE = 'model.onnx', 'model-fp16.onnx'


@dataclass(frozen=True)
class Row:
    """One target.

    Attributes:
        target: What runs the network.
        metric: The first that the config's evaluator gives.
        seconds: Median time of a picture, batch 1; nan of what was not timed.
        size: Bytes of the file.
        difference: From PyTorch on pictures of the test data, as an export compares: a share of
            the largest value, or the detection that is farthest from its counterpart.
    """

    target: str
    metric: float
    seconds: float
    size: int
    difference: float


@dataclass(frozen=True)
class ExportTable:
    """All targets of a network.

    Attributes:
        metric: What the evaluator calls the first metric.
        rows: The targets, the checkpoint as its config tests it first.
    """

    metric: str
    rows: Sequence[Row]

    def __str__(self) -> str:
        lines = [
            f'| target | {self.metric} | ms | MB | differs from torch |',
            '|---|---|---|---|---|',
        ]
        for row in self.rows:
            time = '' if isnan(row.seconds) else f'{1000 * row.seconds:.2f}'
            apart = '' if isnan(row.difference) else f'{row.difference:.1e}'
            lines.append(
                f'| {row.target} | {row.metric:.4g} | {time} | {row.size / 1e6:.2f} | {apart} |'
            )
        return '\n'.join(lines)


@dataclass
class _Recording:
    """Runs a network and keeps the first images that it is handed."""

    peer: Peer
    images: list[Tensor] = field(default_factory=list)

    def run(self, images: Tensor) -> list[Tensor]:
        if len(self.images) < PICTURES:
            self.images.append(images.clone())
        return self.peer.run(images)


class OpenVinoNetwork:
    """An ONNX file run by OpenVINO on the CPU with torch's thread count, in float32.

    Args:
        path: The file.

    Raises:
        UserError: OpenVINO is not installed, or cannot run the file.
    """

    def __init__(self, path: Path) -> None:
        if not has_openvino():
            raise UserError('OpenVINO is not installed: pip install openvino.')
        core = import_module('openvino').Core()
        settings = {
            'INFERENCE_NUM_THREADS': torch.get_num_threads(),
            'INFERENCE_PRECISION_HINT': 'f32',
        }
        try:
            self._compiled = core.compile_model(core.read_model(path), 'CPU', settings)
        except RuntimeError as error:
            raise UserError(f'OpenVINO cannot run {path}: {str(error).splitlines()[0]}') from error
        self._known = {name for one in self._compiled.inputs for name in one.get_names()}

    def run(self, images: Tensor, **settings: float) -> list[Tensor]:
        """What OpenVINO puts out, in order; settings that it took for constants stay so."""
        known = {k: torch.tensor(v).numpy() for k, v in settings.items() if k in self._known}
        found = self._compiled({'images': images.numpy(), **known})
        return [torch.from_numpy(found[output].copy()) for output in self._compiled.outputs]


def has_openvino() -> bool:
    """Whether OpenVINO is installed."""
    return find_spec('openvino') is not None


def export_table(
    config: Config,
    checkpoint: Path,
    out: Path,
    input_shape: Sequence[int] | None = None,
    rounds: int = TIMED_EXPORTS,
) -> ExportTable:
    """Export a network, and evaluate, time and compare what was written.

    Args:
        config: That trained it, with test data and an evaluator.
        checkpoint: Its weights.
        out: Folder of the files.
        input_shape: ``(channels, height, width)``; default: that of the classifier, or what the
            detector's own test pipeline makes of an image.
        rounds: Of timings.

    Raises:
        UserError: As of an export; the config has no test data; or a target cannot run the file.
    """
    if not is_classifier(config) and input_shape is None:
        input_shape = input_size(config).shape
    exportable = exportable_of(checkpoint, config, input_shape, False, False, None, False, False)
    files = _written(exportable, out)
    told = told_by(OnnxNetwork(files[RUNTIME].read_bytes()), files[RUNTIME], config)
    first, metric = _itself(config, checkpoint)
    recording = _Recording(exportable)
    torch_metric = _metric(config, told, recording)
    peers: dict[str, Peer] = {TORCH: exportable}
    peers |= {name: OnnxNetwork(files[name].read_bytes()) for name in (RUNTIME, HALF)}
    if has_openvino():
        files[OPENVINO], peers[OPENVINO] = files[RUNTIME], OpenVinoNetwork(files[RUNTIME])
    files[TORCH] = checkpoint
    seconds = _seconds(peers, recording.images, rounds)
    rows = [first]
    for name, peer in peers.items():
        value = torch_metric if name == TORCH else _metric(config, told, peer)
        apart = float('nan') if name == TORCH else _apart(exportable, peer, recording.images)
        rows.append(Row(name, value, seconds[name], files[name].stat().st_size, apart))
    return ExportTable(metric, rows)


def _written(exportable: Exportable, out: Path) -> dict[str, Path]:
    """The files in float32 and float16, by their targets."""
    content, _ = to_onnx(exportable)
    files = {RUNTIME: out / FULL_FILE, HALF: out / HALF_FILE}
    for name, written in ((RUNTIME, content), (HALF, half(content))):
        with replacing(files[name]) as file:
            file.write(written)
    return files


def half(content: bytes) -> bytes:
    """An ONNX file with weights and sums in float16; what goes in and comes out stays float32.

    Raises:
        UserError: onnxruntime's converter is not there, or cannot convert the file.
    """
    try:
        onnx, tools = map(import_module, ('onnx', 'onnxruntime.transformers.float16'))
        model = onnx.load_from_string(content)
        return tools.convert_float_to_float16(model, keep_io_types=True).SerializeToString()
    except Exception as error:  # of a converter that knows some graphs
        raise UserError(f'The file cannot be converted to float16: {error}') from error


def _itself(config: Config, checkpoint: Path) -> tuple[Row, str]:
    """The checkpoint as its own test has it, and the name of the first metric."""
    with redirect_stdout(StringIO()):
        metrics = evaluate(config, checkpoint)
    name = next(iter(metrics))
    nothing = float('nan')
    size = checkpoint.stat().st_size
    return Row('checkpoint, as its config tests it', metrics[name], nothing, size, nothing), name


def _metric(config: Config, told: Told, peer: Any) -> float:
    with redirect_stdout(StringIO()):  # MMEngine prints all that it does
        metrics = evaluate_exported(config, told.asked(peer.run))
    return next(iter(metrics.values()))


def _seconds(peers: Mapping[str, Peer], images: Sequence[Tensor], rounds: int) -> dict[str, float]:
    """Median time of a picture, over all of them and over rounds in turns."""

    def all_of(peer: Peer) -> Callable[[], object]:
        return lambda: [peer.run(one) for one in images]

    times = measure({name: all_of(peer) for name, peer in peers.items()}, rounds)
    return {name: statistics.median(found) / len(images) for name, found in times.items()}


def _apart(exportable: Exportable, peer: Peer, images: Sequence[Tensor]) -> float:
    """The largest difference on any of the pictures."""
    found = [exportable.difference(exportable, peer, one) for one in images]
    return torch.tensor(found).max().item()  # nan if one is


def table_config(config: Config, checkpoint: Any, work_dir: Path) -> Config:
    """The config of a training as :func:`export_table` takes it: quiet, and with no other files.

    Args:
        config: As it trained.
        checkpoint: What was read of the checkpoint.
        work_dir: Folder of the logs.
    """
    settings = config if is_classifier(config) else self_contained(config, checkpoint)
    settings.work_dir, settings.log_level = str(work_dir), 'WARNING'
    settings.load_from = None
    return settings
