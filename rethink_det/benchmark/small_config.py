"""Any detector's config on a handful of small pictures: what its model does is asked, no more."""

from collections.abc import MutableMapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rethink_det.benchmark.small_pictures import SmallPictures
from rethink_det.datasets.shapes import CLASSES
from rethink_det.detection.datasets.class_heads import THINGS, class_heads
from rethink_det.registered import is_type, scope_of
from rethink_det.registry import OPTIM_WRAPPERS
from rethink_det.transfer.pretrained import TEACHERS, drop_pretrained

KEPT_HOOKS = ('MeanTeacherHook',)
"""A model is no model without them; all others are about long trainings."""


def small_config(config: Config, root: Path) -> Config:
    """A copy of a detector's config that trains on small pictures of shapes, from random weights.

    Model, optimizer and schedule are the config's own, but for trained weights, which are left
    out, mixed precision, augmentations of whole batches, and stuff, which shapes have none of: a
    panoptic model finds objects alone. Data, pipelines and evaluators are others.

    Args:
        config: Of any detector of mmdet.
        root: Folder of the pictures; made if it is not there.
    """
    config = deepcopy(config)
    model = config.get('model') or {}
    pictures = SmallPictures.of(config, root)
    with scope_of(config, 'mmdet'):
        for key in TEACHERS:
            model.pop(key, None)
        drop_pretrained(model, None)
    _without_batch_augments(model)
    _set_classes(model)
    _with_single_precision(config)
    config.load_from, config.resume = None, False
    config.train_dataloader = pictures.training(semi='semi_train_cfg' in model)
    proposals = str(model.get('type')).rpartition('.')[-1] == 'RPN'
    for split in ('val', 'test'):
        config[f'{split}_dataloader'] = pictures.judging()
        config[f'{split}_evaluator'] = pictures.evaluator(proposals)
    config.train_cfg = {'type': 'EpochBasedTrainLoop', 'max_epochs': 1, 'val_interval': 1}
    hooks = config.get('custom_hooks') or ()
    config.custom_hooks = [hook for hook in hooks if hook.get('type') in KEPT_HOOKS]
    return config


def _set_classes(model: MutableMapping) -> None:
    for head in class_heads(model, 'model'):
        head.set_number(len(CLASSES))
        if head.key == THINGS:
            test = model.get('test_cfg') or {}
            model['test_cfg'] = {**test, 'panoptic_on': False, 'instance_on': True}


def _with_single_precision(config: Config) -> None:
    """As MMEngine has mixed precision on GPUs alone, in place."""
    wrapper = config.get('optim_wrapper') or {}
    if is_type(wrapper, 'AmpOptimWrapper', OPTIM_WRAPPERS):
        rest = {key: value for key, value in wrapper.items() if key not in ('loss_scale', 'dtype')}
        config.optim_wrapper = {**rest, 'type': 'OptimWrapper'}


def _without_batch_augments(node: Any) -> None:
    """Pictures stay as small as they are, in place."""
    if isinstance(node, MutableMapping):
        if node.get('batch_augments'):
            node['batch_augments'] = None
        for part in node.values():
            _without_batch_augments(part)
