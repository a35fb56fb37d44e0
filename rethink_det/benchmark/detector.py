"""What this package adds to a training step of a detector, beside mmdet's own run of it."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.provenance import Provenance
from rethink_det.arms import ARMS, DETECTION
from rethink_det.benchmark.runner import epoch_of, in_training
from rethink_det.benchmark.timing import Times, measure, one_thread, paired
from rethink_det.datasets.shapes import build_shapes
from rethink_det.detection import transfer_config
from rethink_det.errors import UserError
from rethink_det.training.config import find_config, load_config
from rethink_det.training.device import current_device
from rethink_det.training.launch import prepare
from rethink_det.training.order import shuffle_apart

RECIPE = 'detection/faster-rcnn_r18-w16_fpn_shapes.py'
"""Whose detector is trained."""
_OTHERS = (8, 2)  # crops and validation images, which nobody looks at


def against_mmdet(images: int, rounds: int) -> None:
    """A step of a detector as ``train --backbone`` trains it, and as mmdet does.

    Ours is a ``PrunedBackbone``, ``TransferHook`` and the hooks of every run of this package;
    the peer is a plain ``mmdet.ResNet`` in MMEngine's Runner as it comes. Both train the same
    weights on the same images, read from files; writing checkpoints is not counted. On a CPU it
    is processor time on one thread that is counted, which leaves out what else a machine does.

    Args:
        images: Of an epoch.
        rounds: Pairs of epochs.

    Raises:
        UserError: There is no image, or no round.
    """
    with tempfile.TemporaryDirectory() as folder:
        ours, peer = configs(Path(folder), images)
        batch = ours.train_dataloader.batch_size
        print(f'detector: {ours.model.type}, ResNet-18 of base width 16, batch {batch} at 128x128')
        with one_thread():
            times = in_both_trainings(ours, peer, lambda a, b: timed(a, b, rounds))
    steps = -(-images // batch)
    own, plain = (1000 * statistics.median(values) / steps for values in times.values())
    more = 100 * (paired(*times.values()) - 1)
    print(
        f'  a step: median {own:.2f} ms, mmdet {plain:.2f} ms, overhead {more:+.2f} %, '
        f'median of {rounds} pairs of epochs of {steps} steps'
    )


def configs(folder: Path, images: int, real: bool = False) -> tuple[Config, Config]:
    """The recipe with a backbone of ours, and with mmdet's, from one classifier's weights.

    Args:
        folder: Where images and weights are written.
        images: To train on.
        real: Let the detector be as large as detectors are: a whole ResNet-50, two pictures of
            800x800 a step.
    """
    if images < 1:
        raise UserError(f'There must be at least 1 image, got {images}.')
    sizes = {'crops': _OTHERS, 'images': (images, _OTHERS[1])}
    root = build_shapes(folder / 'shapes', crops=sizes['crops'], images=sizes['images'])
    weights = str(folder / 'classifier.pth')
    plain = load_config(find_config(RECIPE))
    if real:
        _enlarge(plain)
    plain.train_dataloader.dataset.update(data_root=str(root), **sizes)
    for part in ('dataloader', 'cfg', 'evaluator'):
        plain[f'val_{part}'] = plain[f'test_{part}'] = None
    plain.default_hooks.checkpoint = {'type': 'CheckpointHook', 'interval': -1}
    plain.randomness = {'seed': 0}
    shuffle_apart(plain)  # both see the images in one order
    _write_classifier(plain, weights)
    arm = ARMS.reference(DETECTION)
    ours = transfer_config(plain, arm, weights, weights).config
    init = {'type': 'Pretrained', 'checkpoint': weights, 'prefix': 'backbone.'}
    plain.model.backbone.init_cfg = init
    for name, config in (('ours', ours), ('mmdet', plain)):
        # MMEngine keeps one of a name in a process, with the folder of its first run.
        config.visualizer.name = f'{folder.name}-{name}'
    return ours, plain


def _enlarge(config: Config) -> None:
    config.model.backbone.update(depth=50, base_channels=64)
    config.model.neck.in_channels = [256, 512, 1024, 2048]
    config.train_dataloader.batch_size = 2
    for step in config.train_dataloader.dataset.pipeline:
        if step.type == 'Resize':
            step.scale = (1333, 800)


def _write_classifier(config: Config, path: str) -> None:
    """The checkpoint of a classifier with fresh weights that has the config's backbone."""
    names = ('type', 'depth', 'base_channels', 'zero_init_residual')
    backbone = {name: config.model.backbone[name] for name in names}
    head = {'type': 'rethink_det.LinearHead', 'num_classes': 8}
    architecture = PrunedArchitecture(backbone | {'type': 'mmdet.ResNet'}, head, (3, 32, 32))
    Checkpoint(
        state_dict=architecture.build_network().state_dict(),
        architecture=architecture.to_dict(),
        provenance=Provenance.unknown(),  # nobody trained them
        input_convention=None,
    ).write(path)


def in_both_trainings(ours: Config, peer: Config, act: Callable[[Runner, Runner], Times]) -> Times:
    """What ``act`` returns, given both runners where their training would begin."""

    def both(own: Runner, other: Runner) -> Times:
        other.model.load_state_dict(own.model.state_dict())  # neck and heads are drawn anew
        return act(own, other)

    return in_training(prepare(ours), lambda own: in_training(peer, lambda other: both(own, other)))


def timed(own: Runner, other: Runner, rounds: int) -> Times:
    """Epochs of both in turns; on a CPU its processor time."""
    clock = time.process_time if current_device().type == 'cpu' else time.perf_counter
    return measure({'ours': epoch_of(own), 'mmdet': epoch_of(other)}, rounds, clock)
