"""mmdet in a process that cannot import this package: what it detects with written files.

Run: python plain_process.py CONFIG PICTURE RESULT

Without compiled operators ``mmcv`` cannot even be imported by mmdet; where they are missing,
torchvision's own take the place of the two that a two-stage detector calls.
"""

import importlib.util
import sys
from importlib.machinery import ModuleSpec

import torch
import torchvision

sys.modules['rethink_det'] = None


def nms(boxes, scores, iou_threshold, offset):
    return torchvision.ops.nms(boxes, scores, torch.tensor(iou_threshold).item())


def roi_align_forward(features, rois, output, argmax_y, argmax_x, **settings):
    output.copy_(
        torchvision.ops.roi_align(
            features,
            rois,
            (settings['aligned_height'], settings['aligned_width']),
            settings['spatial_scale'],
            settings['sampling_ratio'],
            settings['aligned'],
        )
    )


if importlib.util.find_spec('mmcv._ext') is None:
    operators = importlib.util.module_from_spec(ModuleSpec('mmcv._ext', None))
    operators.nms, operators.roi_align_forward = nms, roi_align_forward
    operators.__getattr__ = lambda name: None  # asked for by name, and not called
    sys.modules['mmcv._ext'] = operators

from mmdet.apis import inference_detector, init_detector  # noqa: E402

config, picture, result = sys.argv[1:]
detector = init_detector(config, config.removesuffix('.py') + '.pth', device='cpu')
found = inference_detector(detector, picture).pred_instances
torch.save(dict(found.items()) | {'classes': detector.dataset_meta['classes']}, result)
assert not any(name.partition('.')[0] == 'rethink_det' for name, m in sys.modules.items() if m)
