"""Any detector's config on a handful of small pictures: what its model does is asked, no more."""

from collections.abc import Mapping, MutableMapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rethink_det.datasets.shapes import CLASSES, build_shapes
from rethink_det.detection.datasets.data_root import class_heads, learns_masks
from rethink_det.detection.transfer.pretrained import TEACHERS, drop_pretrained
from rethink_det.registered import scope_of

SIDE = 256
"""Pixels. Detectors with 900 queries need as many places in all of their maps together."""

IMAGES = (4, 2)
"""Of training and of validation."""

KEPT_HOOKS = ('MeanTeacherHook',)
"""A model is no model without them; all others are about long trainings."""

_META = (
    'img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'flip', 'flip_direction',
    'homography_matrix',
)  # fmt: skip


def small_config(config: Config, root: Path) -> Config:
    """A copy of a detector's config that trains on small pictures of shapes, from random weights.

    Model, optimizer and schedule are the config's own, but for trained weights, which are left
    out, and augmentations of whole batches. Data, pipelines and evaluators are others.

    Args:
        config: Of any detector of mmdet.
        root: Folder of the pictures; made if it is not there.
    """
    config, root = deepcopy(config), build_shapes(root, crops=(1, 1), images=IMAGES)
    model = config.get('model') or {}
    with scope_of(config, 'mmdet'):
        for key in TEACHERS:
            model.pop(key, None)
        drop_pretrained(model, None)
    _without_batch_augments(model)
    masks = learns_masks(model)
    for head, _ in class_heads(model, 'model'):
        head['num_classes'] = len(CLASSES)
    config.load_from, config.resume = None, False
    config.train_dataloader = _training(model, masks, root)
    for split in ('val', 'test'):
        config[f'{split}_dataloader'] = _loader(_data(root, 'val', masks), 1)
        config[f'{split}_evaluator'] = _evaluator(model, masks, root)
    config.train_cfg = {'type': 'EpochBasedTrainLoop', 'max_epochs': 1, 'val_interval': 1}
    hooks = config.get('custom_hooks') or ()
    config.custom_hooks = [hook for hook in hooks if hook.get('type') in KEPT_HOOKS]
    return config


def _without_batch_augments(node: Any) -> None:
    """Pictures stay as small as they are, in place."""
    if isinstance(node, MutableMapping):
        if node.get('batch_augments'):
            node['batch_augments'] = None
        for part in node.values():
            _without_batch_augments(part)


def _training(model: Mapping, masks: bool, root: Path) -> dict:
    """The loader of training images; a semi-supervised model has them with and without labels."""
    if 'semi_train_cfg' not in model:
        return _loader(_data(root, 'train', masks), 2)
    branches = ['sup', 'unsup_teacher', 'unsup_student']
    packed = {'type': 'PackDetInputs', 'meta_keys': _META}
    weak = [_resize(), {'type': 'RandomFlip', 'prob': 0.5}, packed]
    split = {'type': 'MultiBranch', 'branch_field': branches}
    labeled, unlabeled = _data(root, 'train', masks), _data(root, 'train', masks)
    labeled['pipeline'][-1] = {**split, 'sup': packed}
    unlabeled['pipeline'] = [
        {'type': 'LoadImageFromFile'},
        {'type': 'LoadEmptyAnnotations'},
        {**split, 'unsup_teacher': weak, 'unsup_student': weak},
    ]
    sampler = {'type': 'GroupMultiSourceSampler', 'batch_size': 2, 'source_ratio': [1, 1]}
    both = {'type': 'ConcatDataset', 'datasets': [labeled, unlabeled]}
    return {**_loader(both, 2), 'sampler': sampler}


def _loader(dataset: Mapping, batch: int) -> dict:
    sampler = {'type': 'DefaultSampler', 'shuffle': False}
    return {'batch_size': batch, 'num_workers': 0, 'sampler': sampler, 'dataset': dataset}


def _data(root: Path, split: str, masks: bool) -> dict:
    return {
        'type': 'CocoDataset',
        'data_root': f'{root}/',
        'ann_file': f'annotations/instances_{split}.json',
        'data_prefix': {'img': f'{split}/'},
        'metainfo': {'classes': CLASSES},
        'test_mode': split != 'train',
        'pipeline': [
            {'type': 'LoadImageFromFile'},
            {'type': 'LoadAnnotations', 'with_bbox': True, 'with_mask': masks},
            _resize(),
            {'type': 'PackDetInputs', 'meta_keys': _META[:-1]},
        ],
    }


def _resize() -> dict:
    return {'type': 'Resize', 'scale': (SIDE, SIDE), 'keep_ratio': False}


def _evaluator(model: Mapping, masks: bool, root: Path) -> dict:
    proposals = str(model.get('type')).rpartition('.')[-1] == 'RPN'
    kind = 'proposal_fast' if proposals else 'segm' if masks else 'bbox'
    file = str(root / 'annotations' / 'instances_val.json')
    return {'type': 'CocoMetric', 'ann_file': file, 'metric': kind}
