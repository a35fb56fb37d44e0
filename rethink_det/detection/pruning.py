"""Pruning the backbone of a trained detector, where the detector itself is what reads it.

Source: Rethinking the Value of Network Pruning (arXiv 1810.05270), section 4.5 ("Prune-D"): a
detector is trained with the large backbone, pruned on detection and fine-tuned.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from torch import Tensor

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.backbone import configured_architecture
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.detection.load_detector import BackboneAndNeck, load_detector
from rethink_det.errors import UserError
from rethink_det.latency import NetworkLatency
from rethink_det.pruning import Pruner, PruneResult
from rethink_det.pruning.cost_goal import Costs, classifier_costs
from rethink_det.registered import scope_of
from rethink_det.training.device import device_named
from rethink_det.training.generators import seeded

IMAGENET_HEAD = {'type': 'rethink_det.LinearHead', 'num_classes': 1000}
"""A detector's backbone has no classifier; the costs of its architecture count this one."""
IMAGENET_SHAPE = (3, 224, 224)


class Trunk(BackboneAndNeck):
    """Backbone and neck of a detector, as pruners see a network.

    The neck reads what the backbone puts out, so it loses the inputs that the backbone loses,
    and methods that look at the next layer find it there. The loss is the whole detector's.
    """

    def __init__(self, detector: BaseModel) -> None:
        super().__init__(detector)
        self._detector = [detector]  # in a list: its heads are no part of what is traced

    def _apply(self, fn: Callable, recurse: bool = True) -> 'Trunk':
        """Wherever backbone and neck go, the heads go along."""
        (detector,) = self._detector
        detector._apply(fn, recurse)
        return self

    def loss(self, images: Tensor, samples: Sequence) -> Tensor:
        """The detector's training loss, summed over the images as a classifier's is.

        Regions are sampled alike each time.

        Args:
            images: ``(N, 3, H, W)``, normalised.
            samples: N of mmdet's ``DetDataSample``, with ground truth.
        """
        (detector,) = self._detector
        with seeded(0):
            losses = detector.loss(images, [sample.to(images.device) for sample in samples])
        return detector.parse_losses(losses)[0] * len(images)


def prune_detector(
    config: Config,
    checkpoint: Checkpoint,
    pruner: Pruner,
    data: Iterable | None = None,
    costs: Costs = classifier_costs,
    device: str | torch.device | None = None,
    latency: Callable[[], NetworkLatency] | None = None,
) -> PruneResult:
    """Prune the backbone of a trained detector.

    Args:
        config: Of the detector, as it was trained.
        checkpoint: Of the detector; left as it is.
        pruner: The method. Structures are removed from the backbone alone; the neck follows.
        data: Detection images, see
            :class:`~rethink_det.detection.datasets.detection_batches.DetectionBatches`, for
            methods that look at data.
        costs: Of an architecture of the backbone: that which a goal is a goal for.
        device: What such methods compute on; default: a GPU if there is one.
        latency: Gives the latencies of such architectures, of which one may be a goal.

    Returns:
        The backbone's architecture, and the state dict of the whole detector.

    Raises:
        UserError: The config is no detector, or one without a neck; the checkpoint does not fit
            it; the network cannot be traced; there is no such device; or what the method itself
            refuses.
    """
    architecture = backbone_architecture(config, checkpoint)
    if not config.model.get('neck'):
        raise UserError(
            'The detector has no neck: its heads read the backbone itself, region by region, '
            'which cannot be traced. Prune the classifier instead (arm prune-c).'
        )
    detector = load_detector(config, checkpoint)
    trunk, named = Trunk(detector), device_named(device)
    result = pruner.prune(trunk, architecture, data, costs, named, latency)
    state = {name: tensor.detach() for name, tensor in detector.state_dict().items()}
    return replace(result, state_dict=state)


def backbone_architecture(config: Config, checkpoint: Checkpoint) -> PrunedArchitecture:
    """What the backbone of a trained detector is: by its checkpoint, else by the config.

    Raises:
        UserError: The config is no detector, or its backbone cannot be built.
    """
    backbone = (config.get('model') or {}).get('backbone') or {}
    if 'type' not in backbone:
        raise UserError('The config is no detector: it has no model.backbone.')
    if checkpoint.architecture is not None:
        return PrunedArchitecture.load(checkpoint)
    with scope_of(config, 'mmdet'):
        return configured_architecture(backbone, IMAGENET_HEAD, IMAGENET_SHAPE)
