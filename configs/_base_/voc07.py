"""PASCAL VOC 2007 alone: trained on its 5,011 trainval images, tested on its 4,952 test images.

As ``voc0712``, three times an epoch as well: an epoch is a third as long.
"""

_base_ = 'mmdet::_base_/datasets/voc0712.py'

custom_imports = dict(imports=['rethink_det'])
train_dataloader = dict(
    dataset=dict(
        dataset=dict(
            _delete_=True,
            type='VOCDataset',
            data_root='data/VOCdevkit/',
            ann_file='VOC2007/ImageSets/Main/trainval.txt',
            data_prefix=dict(sub_data_root='VOC2007/'),
            filter_cfg=dict(filter_empty_gt=True, min_size=32, bbox_min_size=32),
            pipeline={{_base_.train_pipeline}},
        )
    )
)
val_evaluator = dict(type='rethink_det.VOCMetric')
test_evaluator = val_evaluator
