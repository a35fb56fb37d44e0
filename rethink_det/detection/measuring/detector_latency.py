"""How long detectors take whose backbones are pruned from one."""

from collections.abc import Callable

import torch
from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.detection.measuring.detector import detector_at_work
from rethink_det.detection.measuring.fixed_regions import fix_regions
from rethink_det.detection.one_image import OneImage
from rethink_det.detection.pruning import backbone_architecture
from rethink_det.detection.transfer.adapt import with_shape
from rethink_det.detection.wrapped import detector_of
from rethink_det.errors import UserError
from rethink_det.latency import LatencyTable, NetworkLatency, Operations, operations_of
from rethink_det.latency.network_latency import Run
from rethink_det.latency.table import network_key
from rethink_det.latency.timing import in_turns
from rethink_det.registered import build, scope_of
from rethink_det.registry import MODELS
from rethink_det.training.device import current_device
from rethink_det.training.generators import seeded

META = torch.device('meta')


def detector_latency(
    config: Config,
    checkpoint: Checkpoint,
    shape: tuple[int, ...],
    device: torch.device | None = None,
    table: LatencyTable | None = None,
) -> NetworkLatency:
    """Latencies of the whole detector, batch 1, from an image to its detections.

    What of it hangs on the architecture are the layers up to scores, boxes and masks, with as many
    regions as ``test_cfg`` lets through. What is done besides (choosing among the detections) is
    measured of the trained detector on its validation images and thought to stay; where the config
    has none, it is left out.

    Args:
        config: As it was trained.
        checkpoint: Its weights.
        shape: ``(channels, height, width)`` of its images.
        device: Default: a GPU if there is one.
        table: Of the device; default: that in the user's cache folder.

    Raises:
        UserError: The config is no detector, or cannot be run by itself.
    """
    table = table or LatencyTable(device or current_device())

    def look(one: PrunedArchitecture, where: torch.device) -> Run:
        settings = with_shape(config, one)
        with scope_of(settings, 'mmdet'), seeded(0), where:
            detector = build(MODELS, detector_of(settings)[1])
            fix_regions(detector)
            network, image = OneImage(detector).eval().to(where), torch.rand(1, *shape)
        return _quietly(settings, lambda: network(image))

    def operations(one: PrunedArchitecture) -> Operations:
        try:
            return operations_of(look(one, META))
        except Exception:  # what computes with values cannot run without them
            return operations_of(look(one, table.device))

    whole = backbone_architecture(config, checkpoint)
    known = NetworkLatency(whole, operations, lambda one: look(one, table.device), table)
    body = known.milliseconds(whole) / 1000
    run = look(whole, table.device)
    key = f'{network_key(operations(whole))} {checkpoint.digest}'
    full = table.remembered(key, lambda: body * _share(config, checkpoint, run, table.device))
    known.outside = full - body
    return known


def _quietly(config: Config, run: Run) -> Run:
    """A run in the scope of the config, without gradients."""

    @torch.no_grad()
    def scoped() -> object:
        with scope_of(config, 'mmdet'):
            return run()

    return scoped


def _share(
    config: Config, checkpoint: Checkpoint, run: Callable[[], object], device: torch.device
) -> float:
    """How long the trained detector takes for an image, relative to its layers."""
    if device != current_device():
        return 1.0
    try:
        with detector_at_work(config, checkpoint.path) as work:
            times = in_turns([run, *work.looks], device)
    except (UserError, OSError):  # no validation images here
        return 1.0
    return sum(times[1:]) / len(times[1:]) / times[0]
