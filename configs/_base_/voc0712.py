"""PASCAL VOC, ``data/VOCdevkit/{VOC2007,VOC2012}``: trained on both trainval, tested on 2007 test.

16,551 training images, three times an epoch, and 4,952 test images. The metric is that of the
2007 challenge: AP at IoU 0.5, the mean precision at eleven recalls, objects marked as difficult
left out. A model on top needs ``num_classes=20`` in its heads.
"""

_base_ = 'mmdet::_base_/datasets/voc0712.py'

custom_imports = dict(imports=['rethink_det'])
val_evaluator = dict(type='rethink_det.VOCMetric')
test_evaluator = val_evaluator
