"""An arm of random weights starts from no trained ones, wherever a config has them."""

import re
from pathlib import Path

import pytest
import torch
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.registry import MODELS

from rethink_det.arms import ARMS, DETECTION
from rethink_det.detection.transfer.adapt import transfer_config
from rethink_det.detection.wrapped import detector_of
from rethink_det.errors import UserError
from rethink_det.registered import scope_of
from rethink_det.training.config import load_config
from rethink_det.transfer.pretrained import drop_pretrained, sources_of
from tests.tiny_detector import write_mask_rcnn

RANDOM, PRUNE_C = ARMS.get(DETECTION, 'random'), ARMS.get(DETECTION, 'prune-c')
TRAINED = dict(type='Pretrained', checkpoint='a.pth')
DRAWN = dict(type='Normal', std=0.01, layer='Conv2d')


def model():
    return dict(
        init_cfg=TRAINED,
        neck=dict(init_cfg=[DRAWN, TRAINED], rfp_backbone=dict(pretrained='torchvision://r50')),
        heads=[dict(init_cfg=DRAWN), dict(load_from='b.pth')],
        bbox_head=dict(init_cfg=None, pretrained=None),
    )


def test_all_kinds_are_taken_out_and_what_draws_stays():
    config = model()
    said = [str(one) for one in drop_pretrained(config, RANDOM)]
    assert sources_of(config) == []
    assert said[0] == 'model.init_cfg: a.pth -> none, arm random starts from random weights'
    assert [line.partition(':')[0] for line in said] == [
        'model.init_cfg', 'model.neck.init_cfg', 'model.neck.rfp_backbone.pretrained',
        'model.heads[1].load_from',
    ]  # fmt: skip
    assert config['neck']['init_cfg'] == [DRAWN] and config['heads'][0]['init_cfg'] == DRAWN


def test_a_yes_becomes_a_no_and_a_path_is_a_source_too():
    config = dict(backbone=dict(type='mmpretrain.TIMMBackbone', pretrained=True))
    config['neck'] = dict(checkpoint_path='c.pth', pretrained=False)
    config['head'] = dict(init_cfg=dict(checkpoint='d.pth'))  # as of mmdet's PVT, without a type
    assert sources_of(config) == [
        'model.backbone.pretrained', 'model.neck.checkpoint_path', 'model.head.init_cfg',
    ]  # fmt: skip
    drop_pretrained(config, None)
    assert config['backbone']['pretrained'] is False and config['neck']['checkpoint_path'] is None
    assert config['head']['init_cfg'] is None


def test_arms_with_weights_keep_them_and_say_so():
    config = model()
    said = [str(one) for one in drop_pretrained(config, PRUNE_C)]
    assert config == model() and len(said) == len(sources_of(config)) == 4
    assert said[0] == 'model.init_cfg: a.pth, which stays as the config has it'


def test_a_language_model_stays_and_is_said():
    config = dict(language_model=dict(type='BertModel', name='bert-base-uncased'))
    (one,) = drop_pretrained(config, RANDOM)
    assert str(one).startswith('model.language_model.name: bert-base-uncased, which stays')
    assert config['language_model']['name'] == 'bert-base-uncased'


def test_a_trained_teacher_is_refused_where_nothing_may_be_trained():
    config = dict(teacher_ckpt='t.pth')
    with pytest.raises(UserError, match=r"model.teacher_ckpt='t.pth': arm random"):
        drop_pretrained(config, RANDOM)
    assert len(drop_pretrained(config, PRUNE_C)) == 1


def test_no_tensor_of_a_pretrained_detector_is_in_the_model_of_arm_random(tmp_path):
    config, _ = write_mask_rcnn(tmp_path)
    whole = tmp_path / 'whole.pth'
    config.model.pretrained = str(whole)
    config.model.init_cfg = dict(type='Pretrained', checkpoint=str(whole))
    adapted = transfer_config(config, RANDOM, 'resnet50-thinet-50')
    with scope_of(config, 'mmdet'):
        network = MODELS.build(adapted.config.model)
        shapes = {name: torch.full_like(one, 0.0123) for name, one in network.state_dict().items()}
        torch.save({'state_dict': shapes}, whole)
        network.init_weights()
    for name, one in network.state_dict().items():
        assert not torch.allclose(one.double(), torch.tensor(0.0123).double()), name
    assert {'model.init_cfg', 'model.pretrained'} <= {one.place for one in adapted.changes}


def test_files_that_are_called_otherwise_are_sources_and_weights_of_losses_are_none():
    linker, wrapped = dict(type='AppearanceFreeLink', checkpoint='l.pth'), dict(weights='d.pkl')
    config = dict(postprocess_model=linker, detector=wrapped)
    config['head'] = dict(loss=dict(weights=[1.0, 2.0]), checkpoint=None)
    assert sources_of(config) == ['model.postprocess_model.checkpoint', 'model.detector.weights']
    drop_pretrained(config, RANDOM)
    assert linker['checkpoint'] is None and wrapped['weights'] is None
    assert config['head']['loss']['weights'] == [1.0, 2.0]


LIKE_WEIGHTS = re.compile(r'.*(://|\.(pth|pt|pkl|bin|ckpt|safetensors)\b).*', re.DOTALL)


def texts(node, place):
    """All texts of a config, whatever their keys are."""
    if isinstance(node, str):
        yield place, node
    elif isinstance(node, dict):
        for key, part in node.items():
            yield from texts(part, f'{place}.{key}')
    elif isinstance(node, (list, tuple)):
        for number, part in enumerate(node):
            yield from texts(part, f'{place}[{number}]')


@pytest.mark.slow
def test_no_config_of_mmdets_has_a_source_left():
    import mmdet

    register_all_modules()
    folder = Path(mmdet.__file__).parent / '.mim/configs'
    looked_at = 0
    for path in sorted(folder.rglob('*.py')):
        if '_base_' in path.parts:
            continue
        try:
            config = Config.fromfile(path)
        except Exception:  # needs a file or a package that is not here
            continue
        model = config.get('model') or {}
        model.pop('backbone', None)
        model.pop('teacher_ckpt', None)
        with scope_of(config, 'mmdet'):
            drop_pretrained(model, RANDOM)
            left = [key for key in sources_of(model) if 'language_model' not in key]
        left += [key for key, text in texts(model, 'model') if LIKE_WEIGHTS.fullmatch(text)]
        assert left == [], path
        looked_at += 1
    assert looked_at > 800


A_DOZEN = (
    'atss/atss_r50_fpn_1x_coco.py',
    'cascade_rcnn/cascade-rcnn_r50_fpn_1x_coco.py',
    'deformable_detr/deformable-detr_r50_16xb2-50e_coco.py',
    'detr/detr_r50_8xb2-150e_coco.py',
    'dino/dino-4scale_r50_8xb2-12e_coco.py',
    'fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py',
    'htc/htc_r50_fpn_1x_coco.py',
    'mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py',
    'qdtrack/qdtrack_faster-rcnn_r50_fpn_4e_base.py',
    'retinanet/retinanet_r50_fpn_1x_coco.py',
    'rtmdet/rtmdet_tiny_8xb32-300e_coco.py',
    'yolox/yolox_s_8xb8-300e_coco.py',
)


def poisoned(node, file, prefix=''):
    """Every part of a model is to come from a file, in place."""
    node['init_cfg'] = dict(type='Pretrained', checkpoint=str(file), prefix=prefix or None)
    for name, part in node.items():
        if (
            isinstance(part, dict)
            and 'type' in part
            and name.endswith(('neck', 'head', 'detector'))
        ):
            poisoned(part, file, f'{prefix}{name}.')


@pytest.mark.slow
@pytest.mark.parametrize('name', A_DOZEN)
def test_no_tensor_comes_from_a_file_of_one_constant(name, tmp_path):
    config = load_config(f'mmdet::{name}')
    poisoned(config.model, tmp_path / 'constant.pth')
    _, detector = detector_of(config)
    detector.backbone.init_cfg = dict(type='Pretrained', checkpoint='gone.pth')
    adapted = transfer_config(config, RANDOM, 'resnet50-thinet-50').config
    assert sources_of(adapted.model) == []
    with scope_of(config, 'mmdet'):
        network = MODELS.build(adapted.model)
        filled = {n: torch.full_like(one, 0.0123) for n, one in network.state_dict().items()}
        torch.save({'state_dict': filled}, tmp_path / 'constant.pth')
        network.init_weights()
    wrong = [
        n for n, one in network.state_dict().items() if (one.double() - 0.0123).abs().max() < 1e-6
    ]
    assert wrong == []
