"""What the studies on COCO share: ImageNet classifiers, then two detectors by every arm.

Every run is one process on one GPU, so a step has the 16 images of the recipes, which are written
for 8 GPUs of 2 images each. Where that is too much memory, give the detectors other options:
'train_dataloader.batch_size': 4 and 'auto_scale_lr.enable': True.
"""

_base_ = 'study_imagenet.py'

one_gpu = {'train_dataloader.batch_size': 16, 'train_dataloader.num_workers': 8}
every_arm = ['unpruned', 'prune-c', 'prune-d', 'scratch-e', 'scratch-b', 'random']

study = dict(
    detection=[
        dict(
            config='../../detection/faster-rcnn_r50_fpn_1x_coco.py',
            arms=every_arm,
            options=one_gpu,
        ),
        dict(
            config='../../detection/mask-rcnn_r50_fpn_1x_coco.py', arms=every_arm, options=one_gpu
        ),
    ],
)
