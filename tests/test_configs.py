"""Every shipped config loads, builds and says how to run it."""

import ast
from functools import cache
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from torchvision.transforms.functional import normalize

from rethink_det.errors import UserError
from rethink_det.training.config import load_config
from tests.needing_mmseg import check_mmseg

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
ALL = sorted(str(path.relative_to(CONFIGS)) for path in CONFIGS.rglob('*.py'))
WHOLE = [name for name in ALL if not name.startswith('_base_')]
MODEL_CONFIGS = [name for name in WHOLE if not name.startswith('studies/')]


@cache
def load(name) -> Config:
    check_mmseg(name)
    return load_config(CONFIGS / name)


def build(config):
    if config.model.backbone.type == 'rethink_det.TimmBackbone':
        pytest.importorskip('timm')
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


def steps_to_the_last_base(path) -> int:
    """How deep a config inherits within this package."""
    assigned = (node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign))
    named = next((node.value for node in assigned if node.targets[0].id == '_base_'), None)
    bases = ast.literal_eval(named) if named else []
    bases = [bases] if isinstance(bases, str) else bases
    own = [path.parent / base for base in bases if '::' not in base]
    return max((1 + steps_to_the_last_base(base) for base in own), default=0)


@pytest.mark.parametrize('name', ALL)
def test_inheritance_is_at_most_three_deep(name):
    assert steps_to_the_last_base(CONFIGS / name) <= 3


@pytest.mark.parametrize('name', WHOLE)
def test_docstring_says_how_to_run_it(name):
    text = ast.get_docstring(ast.parse((CONFIGS / name).read_text()))
    assert 'Run:' in text
    command = text.split('Run:')[1]
    assert name in command or Path(name).stem in command


@pytest.mark.parametrize('name', MODEL_CONFIGS)
def test_model_builds(name):
    config = load(name)
    with torch.device('meta' if name.startswith('classification/') else 'cpu'):
        model = build(config)
    assert sum(p.numel() for p in model.parameters()) > 0
    neck = config.model.get('neck')
    if neck:
        stages = [getattr(model.backbone, layer)[-1] for layer in model.backbone.res_layers]
        last = 'conv3' if hasattr(stages[0], 'conv3') else 'conv2'
        assert neck.in_channels == [getattr(block, last).out_channels for block in stages]


CIFAR = ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010), 4, 0.5)
PHOTOGRAPHS = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
# Mean, deviation, padding of a crop, share of flips: of arXiv 1810.05270's code. ImageNet's crop
# and flip are its data set's own.
SOFT_FILTER = (
    (125.3 / 255, 123.0 / 255, 113.9 / 255),
    (63.0 / 255, 62.1 / 255, 66.7 / 255),
    4,
    0.5,
)
INPUTS = {
    'efficientnet-lite0_imagenet': ((127 / 255,) * 3, (128 / 255,) * 3, 0, 0.0),
    '_imagenet': (*PHOTOGRAPHS, 0, 0.0),
    '_shapes': (*PHOTOGRAPHS, 4, 0.5),
    '_soft-filter_cifar10': SOFT_FILTER,
    '_soft-filter_cifar100': (
        (129.3 / 255, 124.1 / 255, 112.4 / 255), (68.2 / 255, 65.4 / 255, 70.4 / 255), 4, 0.5
    ),
    '_soft-filter-pretrained_cifar10': SOFT_FILTER,
    '_cifar10': CIFAR,
    '_cifar100': CIFAR,
}  # fmt: skip


@pytest.mark.parametrize('name', [n for n in MODEL_CONFIGS if n.startswith('classification/')])
def test_images_are_normalised_and_augmented_as_in_the_recipe(name):
    recipe = next(key for key in INPUTS if name.endswith(f'{key}.py'))
    mean, std, pad, flip = INPUTS[recipe]
    config = load(name)
    preprocess = MODELS.build(config.model.data_preprocessor)
    assert (preprocess.pad, preprocess.flip) == (pad, flip)
    images = torch.randint(0, 256, (2, *config.model.input_shape), dtype=torch.uint8)
    found = preprocess(dict(inputs=images))['inputs']
    assert torch.allclose(found, normalize(images / 255, mean, std), atol=1e-5)


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
