"""Measure what this package's own parts cost, each beside its plain counterpart."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.benchmark import (
    backbone,
    checks,
    coco,
    detector,
    exported,
    gpu,
    prune,
    start_up,
    study,
    train,
)
from rethink_det.cli.config_options import KeyValues, add_imports, import_modules
from rethink_det.detection.prediction.trained_files import find_trained
from rethink_det.errors import UserError
from rethink_det.layout import EXPORTED
from rethink_det.training.config import load_config

_DEFAULTS: dict[str, dict[str, Any]] = {
    'train': {'rounds': 5, 'network': train.NETWORKS},
    'prune': {'network': ('resnet50',), 'images': 512},
    'coco': {'rounds': 3, 'images': 1000},
    'check': {'rounds': 3, 'images': 5000},
    'detector': {'images': detector.IMAGES},
    'study': {'rounds': 3, 'images': study.IMAGES},
    'export': {'rounds': exported.ROUNDS},
    'gpu': {'rounds': gpu.ROUNDS, 'network': (gpu.NETWORK,)},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('what', choices=list(_BENCHMARKS))
    parser.add_argument(
        'place', nargs='?', help='of export: checkpoint, or work dir of its training'
    )
    parser.add_argument(
        '--rounds',
        type=int,
        help='pairs of timings, of study seeds; default: 30, for export 10, for train and gpu 5, '
        'for coco, check and study 3',
    )
    parser.add_argument(
        '--network',
        nargs='+',
        metavar='ARCH',
        help='name or file of an architecture; default: resnet50 for prune, resnet56 for gpu, '
        f'{" ".join(train.NETWORKS)} for train',
    )
    parser.add_argument(
        '--images',
        type=int,
        help='images of noise; default: 512, for train on a GPU 25,600, for coco 1,000, for '
        f'check 5,000, for detector {detector.IMAGES}, for study {study.IMAGES:,}',
    )
    training = parser.add_argument_group('train')
    training.add_argument('--batch', type=int, default=128, help='images of a step')
    parser.add_argument_group('gpu').add_argument(
        '--device',
        metavar='NAME',
        help='cpu: run the same where there is no GPU, at sizes that tell nothing of speed',
    )
    pruning = parser.add_argument_group('prune')
    pruning.add_argument('--pruner', help='run this method once instead, e.g. ThiNetPruner')
    pruning.add_argument(
        '--pruner-options',
        nargs='+',
        action=KeyValues,
        default={'ratios': prune.RATIO},
        metavar='KEY=VALUE',
        help='its arguments, e.g. ratios=0.3',
    )
    exporting = parser.add_argument_group('export')
    exporting.add_argument('--config', help='that trained it, if it does not lie beside it')
    exporting.add_argument(
        '--out',
        metavar='DIR',
        help=f'of the files; default: {EXPORTED} beside the checkpoint',
    )
    exporting.add_argument(
        '--input-shape', nargs=3, type=int, metavar=('C', 'H', 'W'), help='as of export'
    )
    add_imports(parser)


def run(options: argparse.Namespace) -> int:
    """Time pairs side by side; print medians and their ratio."""
    import_modules(options.imports)
    if (options.place is not None) != (options.what == 'export'):
        raise UserError('benchmark export takes a checkpoint or a work dir, the others none.')
    if options.what == 'gpu':
        gpu.check_device(options.device)
    elif options.device is not None:
        raise UserError('--device is for benchmark gpu.')
    for name, value in {'rounds': 30, **_DEFAULTS.get(options.what, {})}.items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    print(f'{torch.get_num_threads()} threads, torch {torch.__version__}')
    return _BENCHMARKS[options.what](options) or 0


def _backbone(options: argparse.Namespace) -> None:
    """A training step of ``PrunedBackbone`` against the same-shaped plain backbone."""
    backbone.against_plain_backbone(options.rounds)


def _import(options: argparse.Namespace) -> None:
    """``import rethink_det`` against importing what it stands on."""
    start_up.against_mmengine(options.rounds)


def _prune(options: argparse.Namespace) -> None:
    """``prune`` against Torch-Pruning's own pruner, or one method by itself."""
    for network in options.network:
        if options.pruner:
            method = {'type': options.pruner, **options.pruner_options}
            prune.by_itself(network, method, options.images)
        else:
            prune.against_torch_pruning(network, options.rounds)


def _train(options: argparse.Namespace) -> None:
    """Training on MMEngine's Runner against a plain PyTorch script, and against a bare loop."""
    train.against_plain_pytorch(options.network, options.images, options.batch, options.rounds)


def _coco(options: argparse.Namespace) -> None:
    """``rethink_det.CocoMetric`` against mmdet's, on boxes and on masks, and encoding these."""
    for kind in ('bbox', 'segm'):
        coco.against_mmdet(options.images, kind, options.rounds)
    coco.encoding(min(options.images, coco.ENCODED), options.rounds)


def _check(options: argparse.Namespace) -> None:
    """What looking at a detector's data takes before a training, first and once more."""
    checks.of_coco(options.images, options.rounds)


def _detector(options: argparse.Namespace) -> None:
    """A training step with our backbone and hooks against mmdet's own."""
    detector.against_mmdet(options.images, options.rounds)


def _study(options: argparse.Namespace) -> None:
    """Planning a study of 2,000 runs, what a run costs beside its work, and two workers for one."""
    study.planning()
    study.overhead(options.rounds)
    study.workers(options.images)


def _export(options: argparse.Namespace) -> None:
    """Metric, time and size of what an export writes, by who runs it, on the config's test data."""
    files = find_trained(options.place, options.config)
    out = Path(options.out or files.checkpoint.parent / EXPORTED)
    config, read = load_config(str(files.config)), Checkpoint.read(files.checkpoint)
    config = exported.table_config(config, read, out)
    print(exported.export_table(config, files.checkpoint, out, options.input_shape, options.rounds))
    print(f'wrote {out / exported.FULL_FILE} and {exported.HALF_FILE}')
    if not exported.has_openvino():
        print('OpenVINO is not installed: pip install openvino adds its row.')


def _gpu(options: argparse.Namespace) -> int:
    """What the parts of this package reach on a GPU, in one table of three minutes."""
    if len(options.network) != 1:
        raise UserError('benchmark gpu trains one network: give --network one name.')
    (network,) = options.network
    if options.device == 'cpu':
        images = 2 * options.batch if options.images is None else options.images
        return gpu.table(gpu.Sizes.tiny(network, images, options.batch, options.rounds))
    images = gpu.IMAGES if options.images is None else options.images
    sizes = gpu.Sizes(network, images=images, batch=options.batch, rounds=options.rounds)
    return gpu.table(sizes)


_BENCHMARKS: dict[str, Callable[[argparse.Namespace], int | None]] = {
    'backbone': _backbone,
    'import': _import,
    'prune': _prune,
    'train': _train,
    'coco': _coco,
    'check': _check,
    'detector': _detector,
    'study': _study,
    'export': _export,
    'gpu': _gpu,
}
