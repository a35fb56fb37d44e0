"""An arm of random weights starts from no trained ones, wherever a config has them."""

from pathlib import Path

import pytest
import torch
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.registry import MODELS

from rethink_det.arms import ARMS, DETECTION
from rethink_det.detection.transfer.adapt import transfer_config
from rethink_det.detection.transfer.pretrained import drop_pretrained, sources_of
from rethink_det.errors import UserError
from rethink_det.registered import scope_of
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
        assert left == [], path
        looked_at += 1
    assert looked_at > 600
