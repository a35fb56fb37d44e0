"""The classifier: MMEngine's model around a backbone and a head."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch.nn.functional as F
from mmengine.model import BaseModel
from torch import Tensor

from rethink_det.architecture.backbone import configured_architecture
from rethink_det.architecture.network import build_backbone, last_feature
from rethink_det.errors import UserError
from rethink_det.registered import by_name
from rethink_det.registry import MODELS

MODES = ('tensor', 'loss', 'predict')
"""What a classifier can be asked for."""


@MODELS.register_module()
class Classifier(BaseModel):
    """Backbone, head, cross-entropy.

    Any backbone that returns a feature map, or a tuple of them, will do: this package's,
    ``mmdet.ResNet`` (the same module under the same names as in a detector), or
    ``rethink_det.PrunedBackbone``, which also brings head and input shape along.

    Args:
        backbone: Registry config.
        head: Registry config without the input width; default: the architecture's.
        input_shape: ``(channels, height, width)`` of an image; default: the
            architecture's.
        data_preprocessor: Registry config.
        init_cfg: MMEngine's initializer.

    Raises:
        UserError: A part cannot be built, or ``head`` or ``input_shape`` is missing.

    Attributes:
        architecture: The :class:`PrunedArchitecture` of this network.
    """

    def __init__(
        self,
        backbone: Mapping,
        head: Mapping | None = None,
        input_shape: Sequence[int] | None = None,
        data_preprocessor: Mapping | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.backbone = build_backbone(backbone)
        inherited = getattr(self.backbone, 'architecture', None)
        if inherited is None:
            self.architecture = configured_architecture(backbone, head, input_shape)
        else:
            named = head and by_name(MODELS, head)
            given = (('head', named), ('input_shape', input_shape))
            own: dict[str, Any] = {key: value for key, value in given if value is not None}
            self.architecture = replace(inherited, **own)
        self.head = self.architecture.build_head(self.backbone)

    def forward(
        self, inputs: Tensor, gt_label: Tensor | None = None, mode: str = 'tensor'
    ) -> Tensor | dict | list:
        """Scores, losses or predictions of a normalised batch.

        Args:
            inputs: ``(N, C, H, W)`` float.
            gt_label: ``(N,)`` class numbers; needed by ``'loss'`` and ``'predict'``.
            mode: ``'tensor'``: scores ``(N, classes)``. ``'loss'``: ``dict(loss=...)``.
                ``'predict'``: one dict of ``scores`` and ``gt_label`` for the whole batch.
        """
        if mode not in MODES:
            raise UserError(f'Classifier: mode must be one of {", ".join(MODES)}, got {mode!r}.')
        scores = self.head(last_feature(self.backbone(inputs)))
        if mode == 'loss':
            if gt_label is None:
                raise ValueError('a loss needs gt_label')
            return {'loss': F.cross_entropy(scores, gt_label)}
        if mode == 'predict':
            return [{'scores': scores, 'gt_label': gt_label}]
        return scores
