"""Detectors inside other models: trackers, semi-supervised detectors."""

import pytest
import torch
from mmengine.config import Config

from rethink_det.architecture import Cut
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.detection.transfer.check_model import check_model
from rethink_det.detection.wrapped import detector_of, has_detector
from rethink_det.errors import UserError
from rethink_det.registered import build, scope_of
from rethink_det.registry import HOOKS, MODELS
from rethink_det.training.model import architecture_of, backbone_of
from tests.detection.transfer.adapting import adapt, adapted, mmdet_config

SOFT = 'soft_teacher/soft-teacher_faster-rcnn_r50-caffe_fpn_180k_semi-0.1-coco.py'


@pytest.fixture
def soft(detector):
    """A small detector, taught by itself."""
    config = Config(detector.to_dict())
    inner = config.pop('model')
    mean = dict(type='mmdet.DetDataPreprocessor', mean=[1, 2, 3], std=[4, 5, 6])
    around = dict(type='mmdet.MultiBranchDataPreprocessor', data_preprocessor=mean)
    config.model = dict(
        type='mmdet.SoftTeacher',
        detector=inner,
        data_preprocessor=around,
        semi_train_cfg=dict(freeze_teacher=True),
        semi_test_cfg=dict(predict_on='teacher'),
    )
    return config


def test_the_detector_is_the_model_or_what_it_wraps(soft):
    place, inner = detector_of(soft)
    assert (place, inner) == ('model.detector', soft.model.detector)
    place, model = detector_of(Config(dict(model=inner)))
    assert place == 'model' and model == inner
    assert not has_detector(Config(dict(model=dict(detector=dict(type='mine')))))
    with pytest.raises(UserError, match='no detector'):
        detector_of(Config(dict(model=dict(head=dict(type='mine')))))


@pytest.mark.parametrize(
    'name',
    [
        SOFT,
        'bytetrack/bytetrack_yolox_x_8xb4-80e_crowdhuman-mot17halftrain_test-mot17halfval.py',
        'deepsort/deepsort_faster-rcnn_r50_fpn_8xb2-4e_mot17halftrain_test-mot17halfval.py',
        'qdtrack/qdtrack_faster-rcnn_r50_fpn_8xb2-4e_mot17halftrain_test-mot17halfval.py',
        'masktrack_rcnn/masktrack-rcnn_mask-rcnn_r50_fpn_8xb1-12e_youtubevis2019.py',
    ],
)
def test_detectors_in_mmdets_models_are_given_the_backbone(name):
    new = adapted(mmdet_config(name), 'random', 'resnet50-thinet-50', weights=None)
    inner = new.config.model.detector
    assert inner.backbone.type == 'rethink_det.PrunedBackbone'
    told = [change.place for change in new.changes if 'backbone' in change.place]
    assert all(place.startswith('model.detector.') for place in told)
    check_model(new.config)
    if new.config.model.type in ('ByteTrack', 'DeepSORT'):  # parts that need packages besides
        for key in {'tracker', 'reid'} & set(new.config.model):
            new.config.model[key] = None
    with scope_of(new.config, 'mmdet'):
        model = build(MODELS, new.config.model)
    prefix, backbone = backbone_of(model)
    assert prefix in ('detector.backbone.', 'student.backbone.')
    assert backbone.layer1[0].conv1.out_channels == 32
    assert architecture_of(model).name == 'resnet50-thinet-50'


def test_student_and_teacher_get_the_weights(soft, resnet, saved):
    weights = saved(resnet(layer1_0_conv1=5))
    config = adapt(soft, 'prune-c', weights)
    check_model(config)
    with scope_of(config, 'mmdet'):
        model = build(MODELS, config.model)
        hook = build(HOOKS, config.custom_hooks[-1])
    hook.check(model)
    wanted = torch.load(weights, weights_only=True)['state_dict']
    for part in (model.student, model.teacher):
        for name, tensor in part.backbone.state_dict().items():
            assert torch.equal(tensor, wanted[f'backbone.{name}']), name


def test_images_are_normalised_where_the_outer_model_does_it(soft, resnet, saved):
    convention = InputConvention('rgb', (9.0, 8.0, 7.0), (3.0, 2.0, 1.0))
    weights = saved(resnet(), input_convention=convention.to_dict())
    config = adapt(soft, 'prune-c', weights)
    around = config.model.data_preprocessor
    assert around.type == 'mmdet.MultiBranchDataPreprocessor'
    assert around.data_preprocessor['mean'] == [9.0, 8.0, 7.0]
    with scope_of(config, 'mmdet'):
        assert InputConvention.of(build(MODELS, around)) == convention


def test_a_whole_detector_is_not_put_into_another_model(soft, resnet, saved):
    with pytest.raises(UserError, match='whole detector, which model.detector is a part of'):
        adapt(soft, 'prune-d', saved(resnet()))


def test_weight_masks_are_refused(soft, resnet, saved):
    mask = torch.ones(16, 16, 3, 3, dtype=torch.bool)
    masked = resnet().after(Cut(masks={'backbone.layer1.0.conv1.weight': mask}))
    with pytest.raises(UserError, match='cannot follow into model.detector'):
        adapt(soft, 'prune-c', saved(masked))
