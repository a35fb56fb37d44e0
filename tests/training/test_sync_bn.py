"""mmcv's synchronised BatchNorm becomes PyTorch's, which needs no group of processes."""

import pytest
from mmengine.config import Config

from rethink_det import UserError, load_config
from rethink_det.training.config import _say_once
from rethink_det.training.sync_bn import set_sync_bn

BASELINE = (
    'mmdet::strong_baselines/mask-rcnn_r50_fpn_rpn-2conv_4conv1fc_syncbn-all_lsj-100e_coco.py'
)


def types_of(node):
    if isinstance(node, dict):
        yield node.get('type')
        for value in node.values():
            yield from types_of(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from types_of(value)


def test_a_config_that_is_read_has_none_of_mmcvs_and_says_so_once(capsys):
    _say_once.cache_clear()
    for _ in range(2):
        config = load_config(BASELINE)
        assert 'MMSyncBN' not in set(types_of(config.model))
    told = capsys.readouterr().err
    assert told.count('MMSyncBN -> SyncBN') == 1 and 'with one process it is BN' in told


@pytest.mark.parametrize(
    'kind', ['MMSyncBN', 'mmcv.MMSyncBN', 'mmengine.MMSyncBN', 'mmdet.MMSyncBN']
)
def test_every_way_to_name_it_in_any_depth(kind):
    layer = dict(type=kind, eps=1e-3, stats_mode='N')
    config = Config(dict(model=dict(heads=[dict(norm_cfg=layer)], norm_cfg=dict(layer))))
    (line,) = set_sync_bn(config)
    assert line.startswith('model.heads.0.norm_cfg.type and 1 more: ')
    assert config.model.norm_cfg == dict(type='SyncBN', eps=1e-3)
    assert config.model['heads'][0].norm_cfg == dict(type='SyncBN', eps=1e-3)
    assert set_sync_bn(config) == []


def test_other_layers_stay():
    model = dict(norm_cfg=dict(type='SyncBN'), other=dict(type='mine.MMSyncBN'))
    config = Config(dict(model=model))
    assert set_sync_bn(config) == []
    assert config.model == model


def test_a_group_of_some_processes_is_refused():
    config = Config(dict(model=dict(norm_cfg=dict(type='MMSyncBN', group=1))))
    with pytest.raises(UserError, match=r'model\.norm_cfg.*Remove model\.norm_cfg\.group'):
        set_sync_bn(config)


def test_of_several_processes_without_gpus_it_is_refused_as_syncbn_is(monkeypatch):
    import torch

    from rethink_det.training.launch import prepare

    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    config = Config(dict(launcher='pytorch', model=dict(norm_cfg=dict(type='MMSyncBN'))))
    with pytest.raises(UserError, match="SyncBN is computed on GPUs only.*type='BN'"):
        prepare(config)
