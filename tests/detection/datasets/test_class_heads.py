"""Which parts of a detector's config count the data set's classes, and what it is to tell them."""

from rethink_det.detection.datasets.class_heads import NUMBER, THINGS, ClassHead, class_heads
from rethink_det.training.config import load_config

INSTANCES = 'mmdet::mask2former/mask2former_r50_8xb2-lsj-50e_coco.py'
PANOPTIC = 'mmdet::mask2former/mask2former_r50_8xb2-lsj-50e_coco-panoptic.py'


def test_things_and_stuff_are_found_where_a_mask_head_counts_them():
    heads = list(class_heads(load_config(PANOPTIC).model, 'model'))
    assert [(head.place, head.key, head.number, head.stuff) for head in heads] == [
        ('model.panoptic_head', THINGS, 80, 53),
        ('model.panoptic_fusion_head', THINGS, 80, 53),
    ]


def test_no_object_keeps_its_weight():
    (head, fusion) = class_heads(load_config(INSTANCES).model, 'model')
    changes = [str(change).partition(':')[0] for change in head.set_number(3)]
    assert changes == [
        'model.panoptic_head.num_things_classes', 'model.panoptic_head.loss_cls.class_weight',
    ]  # fmt: skip
    assert head.config['loss_cls']['class_weight'] == [1.0, 1.0, 1.0, 0.1]
    assert (head.number, head.stuff) == (3, 0)
    assert [str(one) for one in fusion.set_number(3)] == [
        'model.panoptic_fusion_head.num_things_classes: 80 -> 3'
    ]


def test_a_head_is_told_the_same_number_without_a_change():
    head = ClassHead({NUMBER: 3, 'loss_cls': {'class_weight': 1.0}}, 'model.bbox_head')
    assert head.set_number(3) == [] and head.config['loss_cls'] == {'class_weight': 1.0}
    assert list(class_heads({'rpn_head': {NUMBER: 1}, 'bbox_head': {NUMBER: None}}, 'model')) == []
