"""Detectors on C4: the last stage of the backbone is computed once for every region.

``faster-rcnn_r50-caffe_c4`` ends its backbone after the third stage and has the fourth as
``roi_head.shared_head``. Pruned, it is the fourth stage of the same architecture, and its
weights come from the same classifier.

Source: Deep Residual Learning for Image Recognition (arXiv 1512.03385), appendix A ("conv5_x").
"""

from collections.abc import Mapping, MutableMapping
from functools import partial
from os import PathLike
from typing import Any

from mmengine.model import BaseModule
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from rethink_det.architecture import PrunedArchitecture
from rethink_det.arms import Arm
from rethink_det.detection.transfer.in_channels import set_roi_heads
from rethink_det.errors import UserError
from rethink_det.registry import MODELS
from rethink_det.transfer.adapted import Change
from rethink_det.transfer.feature_maps import feature_maps

PLACE = 'roi_head.shared_head'
"""Where a detector's config and model have it."""


@MODELS.register_module()
class PrunedSharedHead(BaseModule):
    """One stage of an architecture, for :class:`mmdet.models.StandardRoIHead`.

    Args:
        architecture: As of ``rethink_det.PrunedBackbone``.
        stage: Which stage, from 0; it is named ``layer{stage + 1}``, as in the backbone.
        norm_eval: Keep the running statistics of its BatchNorms as they are.
        init_cfg: MMEngine's initializer; the weights are fresh without it.
        **settings: Settings of the backbone's class, ``strides`` for one.

    Raises:
        UserError: The architecture cannot be loaded or has no such stage.
    """

    def __init__(
        self,
        architecture: PrunedArchitecture | Mapping | str | PathLike,
        stage: int = 3,
        norm_eval: bool = True,
        init_cfg: Mapping | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(init_cfg)
        backbone = PrunedArchitecture.load(architecture).build(**settings)
        self.stage, self.norm_eval = f'layer{stage + 1}', norm_eval
        if not hasattr(backbone, self.stage):
            raise UserError(f'A {type(backbone).__name__} has no {self.stage} for {PLACE}.')
        self.add_module(self.stage, getattr(backbone, self.stage))

    def forward(self, regions: Tensor) -> Tensor:
        """``(regions, C, H, W)`` of the third stage's width to the last stage's output."""
        return getattr(self, self.stage)(regions)

    def train(self, mode: bool = True) -> 'PrunedSharedHead':
        """Training mode, but for the BatchNorms if ``norm_eval``."""
        super().train(mode)
        for module in self.modules() if self.norm_eval else ():
            if isinstance(module, _BatchNorm):
                module.eval()
        return self


def adapt_shared_head(
    roi_head: MutableMapping,
    shape: PrunedArchitecture,
    architecture: str | PathLike | Mapping,
    settings: Mapping[str, Any],
    arm: Arm,
) -> list[Change]:
    """Make a shared head the architecture's own last stage, in place.

    Args:
        roi_head: Config of ``model.roi_head``, which has a ``shared_head``.
        shape: The architecture.
        architecture: Where it is, for the config.
        settings: What the backbone is built with.
        arm: Which transfer arm.

    Returns:
        What changes.

    Raises:
        UserError: The backbone's class cannot end before its last stage, or the architecture
            has weight masks.
    """
    old = roi_head['shared_head']
    stage = old.get('stage', 3)
    if settings.get('num_stages') != stage:
        raise UserError(
            f'model.{PLACE} computes stage {stage + 1} of the backbone, but a '
            f'{shape.backbone["type"]} cannot end before it: num_stages={stage} is needed.'
        )
    if shape.masks:
        raise UserError(
            f'The architecture has weight masks, and model.{PLACE} has a part of its layers: '
            'masks cannot follow there. Take a detector that reads the whole backbone.'
        )
    whole = {
        'strides': (*settings.get('strides', (1, 2, 2, 2)[:stage]), old.get('stride', 2)),
        'dilations': (*settings.get('dilations', (1,) * stage), old.get('dilation', 1)),
        **({'norm_cfg': settings['norm_cfg']} if 'norm_cfg' in settings else {}),
    }
    norm_eval = arm.keeps_statistics and old.get('norm_eval', True)
    roi_head['shared_head'] = {
        'type': 'rethink_det.PrunedSharedHead',
        'architecture': architecture if isinstance(architecture, Mapping) else str(architecture),
        'stage': stage,
        'norm_eval': norm_eval,
        **whole,
    }
    last = feature_maps(partial(shape.build, out_indices=(stage,), **whole))[-1]
    return [
        Change(f'model.{PLACE}', old.get('type'), f'layer{stage + 1} of the architecture'),
        *set_roi_heads(roi_head, None, last.width),
    ]
