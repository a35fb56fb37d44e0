"""The head that computes the last stage follows the backbone."""

import pytest
import torch

from rethink_det.architecture import Cut
from rethink_det.errors import UserError
from tests.detection.backbones import architecture
from tests.detection.transfer.adapting import adapt, mmdet_config


@pytest.mark.parametrize('arm, kept', [('prune-c', True), ('random', False)])
def test_shared_head_follows_the_arm_too(arm, kept, pruned50):
    config = mmdet_config('faster_rcnn/faster-rcnn_r50-caffe_c4-1x_coco.py')
    new = adapt(config, arm, pruned50)
    shared = new.model.roi_head.shared_head
    assert shared.norm_eval == kept and shared.norm_cfg.requires_grad == (not kept)
    assert 'init_cfg' not in shared  # its ImageNet weights
    assert ('rest' in new.custom_hooks[-1]) == kept
    assert new.model.roi_head.bbox_head.in_channels == 1024


def test_weight_masks_have_no_place_in_a_shared_head(saved, tmp_path):
    whole = architecture(18)
    mask = torch.ones(64, 64, 3, 3, dtype=torch.bool)
    mask[0] = False
    source = saved(whole.after(Cut(masks={'backbone.layer1.0.conv1.weight': mask})))
    config = mmdet_config('faster_rcnn/faster-rcnn_r50-caffe_c4-1x_coco.py')
    with pytest.raises(UserError, match='masks cannot follow'):
        adapt(config, 'prune-c', source)
