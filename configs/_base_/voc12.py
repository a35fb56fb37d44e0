"""PASCAL VOC 2012 alone: trained on its 5,717 training images, tested on its 5,823 val images.

The test annotations are not public. The metric is that of the challenges from 2010 on: AP at
IoU 0.5, the area below the curve of precision over recall.
"""

_base_ = 'voc07.py'

train_dataloader = dict(
    dataset=dict(
        dataset=dict(
            ann_file='VOC2012/ImageSets/Main/train.txt',
            data_prefix=dict(sub_data_root='VOC2012/'),
        )
    )
)
val_dataloader = dict(
    dataset=dict(
        ann_file='VOC2012/ImageSets/Main/val.txt', data_prefix=dict(sub_data_root='VOC2012/')
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(eval_mode='area')
test_evaluator = val_evaluator
