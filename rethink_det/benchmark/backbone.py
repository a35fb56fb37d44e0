"""What ``PrunedBackbone`` costs: a training step beside the plain backbone of the same shape."""

from collections.abc import Callable

import torch
from torch import nn

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.network import build_backbone
from rethink_det.benchmark.timing import compare
from rethink_det.files import plain

BATCH, SIDE = 8, 64


def against_plain_backbone(rounds: int) -> None:
    """Forward, backward and a step of SGD of a ResNet-18, on noise.

    Args:
        rounds: Pairs of steps.

    Raises:
        UserError: There is no round.
    """
    print(f'backbone: ResNet-18, batch {BATCH} at {SIDE}x{SIDE}, forward + backward + SGD step')
    architecture = PrunedArchitecture(
        backbone={'type': 'mmdet.ResNet', 'depth': 18},
        head={'type': 'rethink_det.LinearHead', 'num_classes': 10},
        input_shape=(3, SIDE, SIDE),
    )
    ours = _step(architecture.build(norm_eval=False))
    peer = _step(build_backbone({**plain(architecture.backbone), 'norm_eval': False}))
    compare({'ours': ours, 'peer': peer}, rounds)


def _step(model: nn.Module) -> Callable[[], None]:
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    images = torch.randn(BATCH, 3, SIDE, SIDE)

    def step() -> None:
        optimizer.zero_grad()
        sum(feature.square().mean() for feature in model(images)).backward()
        optimizer.step()

    return step
