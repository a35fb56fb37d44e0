"""ResNet-34 pruned as resnet34-a and resnet34-b by L1 norm, in Faster R-CNN on PASCAL VOC 2007.

Source: arXiv 1810.05270, transfer learning to detection: Prune-C, Prune-D, Scratch-E, Scratch-B.
Run: rethink-det study paper/voc_faster-rcnn_r34_l1norm
Parent: the paper's has torchvision's weights: with them nothing big is trained:
    --cfg-options study.classification.parent=resnet34-333f7ec4.pth
Hardware: a GPU that holds 256 images of 224 x 224 and 16 of 1000 x 600; not run.
Cost: about 580 GPU hours, 180 for one seed without controls (--seeds 0 --cfg-options
    study.classification.controls=False), counted at 10^13 multiply-adds a second and not measured.
Expected: classifiers as paper/imagenet_resnet34_l1norm-{a,b}; the AP of the detectors is not
published with the code of arXiv 1810.05270, and none was filled in from memory.
"""

_base_ = '../../_base_/study_imagenet.py'

study = dict(
    title='ResNet-34 pruned by L1 norm, in Faster R-CNN on PASCAL VOC 2007',
    classification=dict(
        config='../../classification/resnet34_imagenet.py',
        controls=True,
        pruners=dict(
            a=dict(type='L1NormPruner', target='resnet34-a'),
            b=dict(type='L1NormPruner', target='resnet34-b'),
        ),
    ),
    detection=[
        dict(
            config='../../detection/faster-rcnn_r34_fpn_voc07.py',
            arms=['unpruned', 'prune-c', 'prune-d', 'scratch-e', 'scratch-b'],
            options={'train_dataloader.batch_size': 16, 'train_dataloader.num_workers': 8},
        ),
    ],
)
