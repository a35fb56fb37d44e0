"""A study of detectors alone: a classifier is given, and no classification data are needed.

Question: on 160 photos of raccoons, does a detector that was trained and pruned (prune-d) keep more
than its shape trained from nothing with the same compute (scratch-d), and what did its second
training do without any pruning (unpruned-d)?
Data: data/raccoon in COCO format; any other such folder by
    --cfg-options study.detection.0.data_root=DIR
The classifier: rethink-det train classification/resnet18-w16_shapes.py --work-dir work_dirs/parent,
    or any other by
        --cfg-options study.classification.parent=FILE
Run: rethink-det study raccoon --work-dir work_dirs/raccoon --workers 2
Hardware: 2 CPU cores.
"""

study = dict(
    title='A small Faster R-CNN on raccoons, pruned by L1 norm: detectors alone',
    description='Three seeds; each detector is trained for 6 epochs of 160 photos, twice where it '
    'goes on from a trained one.',
    seeds=[0, 1, 2],
    primary=dict(arm='scratch-d', baseline='prune-d'),
    classification=dict(
        parent='work_dirs/parent/epoch_24.pth',
        pruner=dict(type='L1NormPruner', ratios=0.6),
    ),
    detection=[
        dict(
            config='../detection/faster-rcnn_r18-w16_fpn_shapes.py',
            data_root='data/raccoon',
            name='faster-rcnn_raccoon',
            arms=['unpruned-d', 'prune-d', 'scratch-d'],
            epochs=6,
        ),
    ],
)
