"""Pictures with what was found on them, by mmdet's own visualizer."""

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmdet.visualization import DetLocalVisualizer
from mmengine.structures import InstanceData

from rethink_det.detection.prediction.detections import Detections


def drawn(picture: np.ndarray, found: Detections) -> np.ndarray:
    """A picture with boxes, masks, names and scores on it.

    Args:
        picture: ``(height, width, 3)`` uint8, red, green, blue.
        found: What is drawn, all of it.

    Returns:
        Another one of the same shape.
    """
    visualizer = DetLocalVisualizer(name='predict')
    visualizer.dataset_meta = {'classes': tuple(found.classes)}
    instances = InstanceData(
        bboxes=torch.from_numpy(found.boxes),
        scores=torch.from_numpy(found.scores),
        labels=torch.from_numpy(found.labels),
    )
    if found.masks is not None:
        instances.masks = found.masks
    sample = DetDataSample(pred_instances=instances)
    visualizer.add_datasample('', picture, sample, draw_gt=False, show=False, pred_score_thr=0)
    return visualizer.get_image()
