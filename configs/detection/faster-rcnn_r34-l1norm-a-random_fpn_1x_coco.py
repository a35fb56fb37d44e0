"""Faster R-CNN on COCO 2017, backbone ResNet-34-A without any pre-training: the control.

Architecture: L1-norm filter pruning (arXiv 1608.08710), widths of arXiv 1810.05270.
Run: python tools/train.py configs/detection/faster-rcnn_r34-l1norm-a-random_fpn_1x_coco.py
The other arms: tools/train.py configs/detection/faster-rcnn_r34_fpn_1x_coco.py
    --backbone CHECKPOINT --arm prune-c (scratch-e, scratch-b)
Hardware: 8 GPUs at 2 images each.
"""

_base_ = './faster-rcnn_r34_fpn_1x_coco.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='rethink_det.PrunedBackbone',
        architecture='resnet34-a',
        out_indices=(0, 1, 2, 3),
        frozen_stages=-1,
        norm_eval=False,
    )
)
custom_hooks = [dict(type='rethink_det.TransferHook', arm='random')]
