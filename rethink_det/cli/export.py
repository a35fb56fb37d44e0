"""What ``rethink-det export`` does."""

import argparse
from pathlib import Path
from typing import Any

import torch

from rethink_det.benchmark.onnx import ROUNDS, latencies
from rethink_det.cli.config_options import import_modules
from rethink_det.cli.output import check_output
from rethink_det.errors import UserError
from rethink_det.export import OnnxFile, export_onnx, export_timm
from rethink_det.export.file import onnx_path
from rethink_det.export.onnx import BATCHES, OPSET, TOLERANCE
from rethink_det.export.plain_detector import export_plain, module_path, plain_path
from rethink_det.export.programs import EXPORTED, ProgramFile, export_program, program_path
from rethink_det.export.timm_factory import timm_path
from rethink_det.training.config import find_config, load_config


def run(options: argparse.Namespace) -> int:
    """Export, compare, write; print what the file holds and how fast it is."""
    if options.timm:
        return _timm(options)
    if options.plain:
        return _plain(options)
    return _torch(options) if options.torch else _onnx(options)


def _onnx(options: argparse.Namespace) -> int:
    out = onnx_path(options.checkpoint, options.out, options.backbone)
    file = export_onnx(options.checkpoint, options.out, **_settings(options, out))
    print(f'wrote {file.path}: {file.path.stat().st_size:,} bytes, ONNX opset {OPSET}')
    _show(file, ONNX)
    _show_latency(file)
    return 0


def _torch(options: argparse.Namespace) -> int:
    out = program_path(options.checkpoint, options.out)
    file = export_program(options.checkpoint, out, **_settings(options, out))
    kind = 'torch.export' if out.suffix == EXPORTED else 'TorchScript'
    print(f'wrote {file.path}: {file.path.stat().st_size:,} bytes, {kind}')
    _show(file, 'the program')
    return 0


def _settings(options: argparse.Namespace, out: Path) -> dict[str, Any]:
    """What both formats ask for, once the place of the result is looked at."""
    check_output(out, (options.config, options.checkpoint), options.force)
    import_modules(options.imports)
    batch = options.batch
    return {
        'config': load_config(find_config(options.config)) if options.config else None,
        'input_shape': options.input_shape,
        'backbone': options.backbone,
        'heads': options.heads,
        'batch': int(batch) if batch and batch.isdecimal() else batch,
        'normalise': options.normalise,
        'ema': options.ema,
    }


ONNX = 'onnxruntime'
_OF_NETWORKS = ('backbone', 'heads', 'input_shape', 'batch', 'normalise')


def _timm(options: argparse.Namespace) -> int:
    _refuse(options, ('config', *_OF_NETWORKS), 'export --timm takes a checkpoint alone')
    path = timm_path(options.checkpoint, options.out)
    for out in (path, path.with_suffix('.pth')):
        check_output(out, (options.checkpoint,), options.force)
    import_modules(options.imports)
    file = export_timm(options.checkpoint, path, options.ema)
    print(f'wrote {file.path} and {file.weights}')
    print(f'  plain timm differs by {file.difference:.1e} of the largest score, on a random image')
    return 0


def _plain(options: argparse.Namespace) -> int:
    _refuse(options, _OF_NETWORKS, 'export --plain takes a config and a checkpoint')
    if options.config is None:
        raise UserError(
            'export --plain needs the config that trained the detector: export CONFIG CHECKPOINT '
            '--plain. In the work dir of a training it lies beside the checkpoint.'
        )
    path = plain_path(options.checkpoint, options.out)
    for out in (path, path.with_suffix('.pth'), module_path(path)):
        check_output(out, (options.config, options.checkpoint), options.force)
    import_modules(options.imports)
    config = load_config(find_config(options.config))
    file = export_plain(config, options.checkpoint, path, options.ema)
    for change in file.changes:
        print(change)
    print(f'wrote {", ".join(str(f) for f in (file.path, file.module, file.weights) if f)}')
    print(
        f'  plain mmdet differs by {file.difference:.1e} of the largest output of its heads, on a '
        'random image'
    )
    return 0


def _refuse(options: argparse.Namespace, names: tuple[str, ...], takes: str) -> None:
    """Refuse options of another format."""
    for name in names:
        if getattr(options, name):
            said = name if name == 'config' else f'--{name.replace("_", "-")}'
            raise UserError(f'{takes}, no {said}.')


def _show(file: OnnxFile | ProgramFile, runtime: str) -> None:
    network = file.exportable
    size = 'x'.join(map(str, network.input_shape))
    images = 'RGB pixels, uint8' if network.pixels else 'normalised, float32'
    if network.convention and not network.pixels:
        images += f' ({network.convention})'
    print(f'  images: {network.batch or "any number"} of {size}, {images}')
    for name, default in network.settings.items():
        known = f'may be left out, {default:g} then' if runtime == ONNX else f'{default:g} is usual'
        print(f'  {name}: {known}')
    print(f'  outputs: {", ".join(network.outputs)}')
    if network.cost is not None:
        print(f'  params: {network.cost.params:,}')
        print(f'  macs: {network.cost.macs:,} at {size}')
    batches = BATCHES if network.batch is None else (network.batch,)
    print(
        f'  {runtime} differs from PyTorch by {file.difference:.1e} (allowed {TOLERANCE:g}), on '
        f'random images in batches of {" and ".join(map(str, batches))}'
    )


def _show_latency(file: OnnxFile) -> None:
    times = ', '.join(f'{name} {1000 * time:.2f} ms' for name, time in latencies(file).items())
    where = f'CPU, threads: {torch.get_num_threads()}'
    print(f'  latency, median of {ROUNDS}, batch {file.exportable.batch or 1}, {where}: {times}')
