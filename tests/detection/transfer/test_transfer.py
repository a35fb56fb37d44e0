"""Before any training: a detector with a transferred backbone computes what it should."""

import logging
from types import SimpleNamespace

import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.registry import MODELS, DefaultScope

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import load_checkpoint, save_checkpoint
from rethink_det.arms import ARMS, DETECTION
from rethink_det.detection import transfer_config
from rethink_det.errors import UserError
from rethink_det.registry import HOOKS
from rethink_det.training.config import load_config
from tests.detection.backbones import architecture, write_classifier

SIDE = 96
NARROW = {'model.backbone.depth': 18, 'model.backbone.init_cfg': None}
FPN = {'model.neck.in_channels': [64, 128, 256, 512]}
C4 = {
    'model.rpn_head.in_channels': 256,
    'model.roi_head.bbox_roi_extractor.out_channels': 256,
    'model.roi_head.shared_head.depth': 18,
    'model.roi_head.shared_head.init_cfg': None,
    'model.roi_head.bbox_head.in_channels': 512,
    'model.test_cfg.rpn.max_per_img': 20,
}
LOW = {'model.test_cfg.rcnn.score_thr': 0.0}  # untrained: let detections through
KINDS = {
    'faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py': FPN | LOW,
    'faster_rcnn/faster-rcnn_r50-caffe_c4-1x_coco.py': C4 | LOW,
    'retinanet/retinanet_r50_fpn_1x_coco.py': FPN | {'model.test_cfg.score_thr': 0.0},
}


def build(config):
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MODELS.build(config.model).eval()


def plain_detector(name):
    return load_config(f'mmdet::{name}', NARROW | KINDS[name])


@pytest.fixture
def as_classifier(tmp_path):
    """Writes the backbone of a detector as the checkpoint of a classifier."""

    def write(detector, style):
        state = {
            name.replace('roi_head.shared_head.', 'backbone.'): tensor
            for name, tensor in detector.state_dict().items()
            if name.startswith(('backbone.', 'roi_head.shared_head.'))
        }
        described = architecture(18, style=style, zero_init_residual=True)
        head = {f'head.{n}': t for n, t in described.build_network().head.state_dict().items()}
        path = tmp_path / 'classifier.pth'
        save_checkpoint({'meta': {'architecture': described.to_dict()}, 'state_dict': state}, path)
        inherited = PrunedArchitecture.load(path).inherit(state | head)
        meta = load_checkpoint(path)['meta']
        save_checkpoint({'meta': meta, 'state_dict': inherited}, path)
        return str(path)

    return write


def bring_weights(config, model):
    """What the hooks of the config do before the first step."""
    runner = SimpleNamespace(model=model, iter=0, logger=logging.getLogger('test'))
    for hook in config.custom_hooks:
        HOOKS.build(hook).before_train(runner)


@pytest.mark.parametrize('name', KINDS)
@torch.no_grad()
def test_unpruned_backbone_computes_what_the_plain_detector_computes(name, as_classifier, unsettle):
    plain = plain_detector(name)
    torch.manual_seed(0)
    original = unsettle(build(plain))
    source = as_classifier(original, plain.model.backbone.style)

    config = transfer_config(plain, ARMS.get(DETECTION, 'unpruned'), source, source).config
    adapted = build(config)
    assert type(adapted.backbone) is type(original.backbone)
    assert adapted.state_dict().keys() == original.state_dict().keys()
    heads = {n: t for n, t in original.state_dict().items() if not is_transferred(n)}
    adapted.load_state_dict(heads, strict=False)
    bring_weights(config, adapted)

    image = torch.randint(0, 256, (3, SIDE, SIDE), dtype=torch.uint8)
    mine, theirs = (maps_and_boxes(model, image) for model in (adapted, original))
    assert len(theirs[1]) > 0
    for a, b in zip(mine[0], theirs[0], strict=True):
        assert torch.equal(a, b)
    for key in ('bboxes', 'scores', 'labels'):
        assert torch.equal(getattr(mine[1], key), getattr(theirs[1], key))


def is_transferred(name):
    return name.startswith(('backbone.', 'roi_head.shared_head.'))


def maps_and_boxes(model, image):
    """Feature maps of the backbone, and the predictions for one image."""
    side = (SIDE, SIDE)
    sample = DetDataSample(
        metainfo=dict(img_shape=side, ori_shape=side, pad_shape=side, scale_factor=(1.0, 1.0))
    )
    data = model.data_preprocessor(dict(inputs=[image], data_samples=[sample]))
    maps = model.backbone(data['inputs'])
    return maps, model(**data, mode='predict')[0].pred_instances


def test_every_stage_of_a_c4_detector_is_the_classifiers(tmp_path):
    name = 'faster_rcnn/faster-rcnn_r50-caffe_c4-1x_coco.py'
    keep = {'layer3.0.conv2': 0.5, 'layer4.0.conv2': 0.75, 'layer4.1.conv1': 0.5}
    source = str(write_classifier(tmp_path / 'pruned.pth', keep, depth=18, style='caffe'))
    config = transfer_config(
        plain_detector(name), ARMS.get(DETECTION, 'prune-c'), source, source
    ).config
    model = build(config)
    bring_weights(config, model)
    given = load_checkpoint(source)['state_dict']
    own = model.backbone.state_dict() | model.roi_head.shared_head.state_dict()
    assert {f'backbone.{n}' for n in own} == {n for n in given if n.startswith('backbone.')}
    for n, tensor in own.items():
        assert torch.equal(tensor, given[f'backbone.{n}']), n
    assert model.rpn_head.rpn_conv.in_channels == 128
    assert model.roi_head.bbox_head.fc_cls.in_features == 384


@pytest.mark.parametrize(
    'missing', ['backbone.layer2.0.conv1.weight', 'backbone.layer4.1.bn2.bias']
)
def test_partial_weights_of_a_c4_detector_are_refused(tmp_path, missing):
    name = 'faster_rcnn/faster-rcnn_r50-caffe_c4-1x_coco.py'
    file = tmp_path / 'pruned.pth'
    source = str(write_classifier(file, arm='fine-tune', depth=18, style='caffe'))
    config = transfer_config(
        plain_detector(name), ARMS.get(DETECTION, 'prune-c'), source, source
    ).config
    checkpoint = load_checkpoint(source)
    del checkpoint['state_dict'][missing]
    save_checkpoint(checkpoint, source)
    with pytest.raises(UserError, match=missing.removeprefix('backbone.')):
        bring_weights(config, build(config))
