"""A detector that is given an image and nothing else."""

from typing import Any

from mmdet.structures import DetDataSample
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from torch import Tensor, nn


class OneImage(nn.Module):
    """A detector as a network: images in, what its heads put out before that becomes detections.

    Args:
        detector: Of mmdet.
    """

    def __init__(self, detector: BaseModel) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, images: Tensor) -> Any:
        """What its heads put out for ``(1, C, H, W)``, nested as mmdet's heads have it."""
        size = tuple(images.shape[-2:])
        same = dict.fromkeys(('img_shape', 'ori_shape', 'pad_shape', 'batch_input_shape'), size)
        sample = DetDataSample(metainfo={**same, 'scale_factor': (1.0, 1.0), 'flip': False})
        nothing = {'bboxes': images.new_zeros(0, 4), 'labels': images.new_zeros(0).long()}
        sample.gt_instances = InstanceData(**nothing)  # some heads take them apart, unused
        return self.detector(images, [sample], mode='tensor')
