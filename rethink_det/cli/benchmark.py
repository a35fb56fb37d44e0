"""What ``rethink-det benchmark`` does."""

import argparse
from collections.abc import Callable
from pathlib import Path

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
from rethink_det.cli.arguments.benchmark import BENCHMARKS, ROUNDS
from rethink_det.cli.config_options import import_modules
from rethink_det.detection.prediction.trained_files import find_trained
from rethink_det.errors import UserError
from rethink_det.layout import EXPORTED
from rethink_det.training.config import load_config


def run(options: argparse.Namespace) -> int:
    """Time pairs side by side; print medians and their ratio."""
    import_modules(options.imports)
    if (options.place is not None) != (options.what == 'export'):
        raise UserError('benchmark export takes a checkpoint or a work dir, the others none.')
    if options.what == 'gpu':
        gpu.check_device(options.device)
    elif options.device is not None:
        raise UserError('--device is for benchmark gpu.')
    for name, value in {'rounds': ROUNDS, **BENCHMARKS[options.what]}.items():
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
