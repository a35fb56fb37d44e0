"""Every shipped config loads, builds and says how to run it."""

import ast
from functools import cache
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from rethink_det.errors import UserError
from rethink_det.study.plan import Study
from rethink_det.training.config import load_config

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
ALL = sorted(str(path.relative_to(CONFIGS)) for path in CONFIGS.rglob('*.py'))
WHOLE = [name for name in ALL if not name.startswith('_base_')]
STUDIES = [name for name in WHOLE if name.startswith('studies/')]
MODEL_CONFIGS = [name for name in WHOLE if name not in STUDIES]


@cache
def load(name) -> Config:
    return load_config(CONFIGS / name)


def build(config):
    with DefaultScope.overwrite_default_scope(config.default_scope):
        return MODELS.build(config.model)


def leaves(value, key=''):
    """(dotted key, value) of everything in a nested config."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, item in items:
        path = f'{key}.{name}' if key else str(name)
        if isinstance(item, (dict, list, tuple)) and item:
            yield from leaves(item, path)
        else:
            yield path, item


@pytest.mark.parametrize('name', ALL)
def test_config_loads_and_holds_no_absolute_path(name):
    texts = {key: value for key, value in leaves(load(name).to_dict()) if isinstance(value, str)}
    assert not {key: text for key, text in texts.items() if text.startswith(('/', '~'))}


@pytest.mark.parametrize('name', WHOLE)
def test_docstring_says_how_to_run_it(name):
    text = ast.get_docstring(ast.parse((CONFIGS / name).read_text()))
    assert 'Run:' in text
    command = text.split('Run:')[1]
    assert name in command or Path(name).stem in command


@pytest.mark.parametrize('name', MODEL_CONFIGS)
def test_model_builds(name):
    config = load(name)
    model = build(config)
    assert sum(p.numel() for p in model.parameters()) > 0
    neck = config.model.get('neck')
    if neck:
        stages = [getattr(model.backbone, layer)[-1] for layer in model.backbone.res_layers]
        last = 'conv3' if hasattr(stages[0], 'conv3') else 'conv2'
        assert neck.in_channels == [getattr(block, last).out_channels for block in stages]


@pytest.mark.parametrize('name', STUDIES)
def test_study_is_planned(name):
    study = Study.load(CONFIGS / name)
    stages = {run.stage for run in study.runs()}
    assert {'classification', 'pruning'} <= stages
    assert ('detection' in stages) == bool(study.detection)
    for run in {run.config: run for run in study.runs()}.values():
        load_config(run.config, run.options)  # refuses an option that does not exist


@pytest.mark.parametrize(
    'child, parent, allowed',
    [
        (
            'detection/faster-rcnn_r34-l1norm-a-random_fpn_tiny-coco.py',
            'detection/faster-rcnn_r34-l1norm-a-random_fpn_1x_coco.py',
            ('data_root', 'ann_file', 'train_cfg.max_epochs', 'train_cfg.val_interval'),
        ),
        (
            'detection/faster-rcnn_r34-l1norm-a-random_fpn_1x_coco.py',
            'detection/faster-rcnn_r34_fpn_1x_coco.py',
            ('model.backbone.', 'custom_hooks'),
        ),
        (
            'detection/mask-rcnn_r18-w16_fpn_shapes.py',
            'detection/faster-rcnn_r18-w16_fpn_shapes.py',
            ('model.', 'evaluator.metric'),
        ),
    ],
)
def test_child_differs_from_its_parent_only_where_it_says(child, parent, allowed):
    mine, theirs = (dict(leaves(load(name).to_dict())) for name in (child, parent))
    different = [k for k in mine | theirs if mine.get(k) != theirs.get(k)]
    assert different
    assert [key for key in different if not any(part in key for part in allowed)] == []


def test_detector_backbone_is_the_classifiers_own():
    classifier = build(load('classification/resnet18-w16_shapes.py')).backbone.state_dict()
    detector = build(load('detection/faster-rcnn_r18-w16_fpn_shapes.py')).backbone.state_dict()
    assert {n: t.shape for n, t in classifier.items()} == {n: t.shape for n, t in detector.items()}


@pytest.mark.parametrize(
    'key, hint',
    [
        ('train_cfg.max_epoch', "Did you mean 'max_epochs'"),
        ('modl.backbone.depth', "Did you mean 'model'"),
        ('param_scheduler.7.gamma', 'is a list of 2'),
    ],
)
def test_unknown_option_is_refused(key, hint):
    with pytest.raises(UserError, match=hint) as refusal:
        load_config(CONFIGS / 'classification/resnet18-w16_shapes.py', {key: 1})
    assert key.split('.')[0] in str(refusal.value)


def test_missing_and_broken_configs_are_refused(tmp_path):
    with pytest.raises(UserError, match='nothing.py does not exist'):
        load_config(tmp_path / 'nothing.py')
    broken = tmp_path / 'broken.py'
    broken.write_text('model = dict(')
    with pytest.raises(UserError, match='broken.py cannot be read'):
        load_config(broken)
