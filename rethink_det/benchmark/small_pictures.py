"""Data sets of a few small pictures, with all that a detector may want to know of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rethink_det.datasets.semantic_maps import semantic_maps
from rethink_det.datasets.shapes import CLASSES, build_shapes
from rethink_det.datasets.wrappers import unwrapped
from rethink_det.detection.datasets.data_root import learns_masks
from rethink_det.detection.datasets.loading import steps

SIDE = 256
"""Pixels. Detectors with 900 queries need as many places in all of their maps together."""

IMAGES = (4, 2)
"""Of training and of validation."""

_BORDER = 'RandomCenterCropPad'
_META = (
    'img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'flip', 'flip_direction',
)  # fmt: skip


@dataclass(frozen=True)
class SmallPictures:
    """Shapes, as a detector's config is to load them.

    Attributes:
        root: Their folder.
        side: Of a picture, in pixels.
        masks: Whether objects come with their masks.
        semantic: Whether pictures come with semantic maps for training.
        padding: Steps of the config's own test pipeline that detectors of corners cannot do
            without: they take the border off their boxes.
    """

    root: Path
    side: int = SIDE
    masks: bool = False
    semantic: bool = False
    padding: Sequence[Mapping] = ()

    @classmethod
    def of(cls, config: Config, root: Path) -> 'SmallPictures':
        """What a detector's config asks for; made if they are not there."""
        model = config.get('model') or {}
        build_shapes(root, crops=(1, 1), images=IMAGES)
        semantic = bool((model.get('roi_head') or {}).get('semantic_head'))
        if semantic:
            semantic_maps(_file(root, 'train'), root / 'semantic' / 'train')
        head = model.get('bbox_head')
        anchors = (head.get('anchor_generator') or {}) if isinstance(head, Mapping) else {}
        tests = (config.get('test_dataloader') or {}).get('dataset') or {}
        padding = tuple(step for one, _ in unwrapped(tests, '') for step in steps(one, _BORDER))
        side = anchors.get('input_size', SIDE)
        return cls(root, side, learns_masks(model), semantic, padding)

    def training(self, semi: bool) -> dict:
        """The loader of training images.

        Args:
            semi: Whether they come with and without labels, as for a semi-supervised model.
        """
        if not semi:
            return _loader(self._data('train'), 2)
        packed = {'type': 'PackDetInputs', 'meta_keys': (*_META, 'homography_matrix')}
        weak = [self._resize(), {'type': 'RandomFlip', 'prob': 0.5}, packed]
        branches = ['sup', 'unsup_teacher', 'unsup_student']
        split = {'type': 'MultiBranch', 'branch_field': branches}
        labeled, unlabeled = self._data('train'), self._data('train')
        labeled['pipeline'][-1] = {**split, 'sup': packed}
        unlabeled['pipeline'] = [
            {'type': 'LoadImageFromFile'},
            {'type': 'LoadEmptyAnnotations'},
            {**split, 'unsup_teacher': weak, 'unsup_student': weak},
        ]
        sampler = {'type': 'GroupMultiSourceSampler', 'batch_size': 2, 'source_ratio': [1, 1]}
        both = {'type': 'ConcatDataset', 'datasets': [labeled, unlabeled]}
        return {**_loader(both, 2), 'sampler': sampler}

    def judging(self) -> dict:
        """The loader of validation images."""
        return _loader(self._data('val'), 1)

    def evaluator(self, proposals: bool) -> dict:
        """Of the validation images.

        Args:
            proposals: Whether the model finds objects and does not tell their classes.
        """
        kind = 'proposal_fast' if proposals else 'segm' if self.masks else 'bbox'
        return {'type': 'CocoMetric', 'ann_file': str(_file(self.root, 'val')), 'metric': kind}

    def _data(self, split: str) -> dict[str, Any]:
        train = split == 'train'
        semantic = train and self.semantic
        load = {'type': 'LoadAnnotations', 'with_bbox': True, 'with_mask': self.masks}
        padding = [] if train else self.padding
        meta = (*_META, 'border') if padding else _META
        return {
            'type': 'CocoDataset',
            'data_root': f'{self.root}/',
            'ann_file': f'annotations/instances_{split}.json',
            'data_prefix': {'img': f'{split}/', **({'seg': 'semantic/train/'} if semantic else {})},
            'metainfo': {'classes': CLASSES},
            'test_mode': not train,
            'pipeline': [
                {'type': 'LoadImageFromFile', 'to_float32': bool(padding)},
                {**load, 'with_seg': True} if semantic else load,
                self._resize(),
                *padding,
                {'type': 'PackDetInputs', 'meta_keys': meta},
            ],
        }

    def _resize(self) -> dict:
        return {'type': 'Resize', 'scale': (self.side, self.side), 'keep_ratio': False}


def _file(root: Path, split: str) -> Path:
    return root / 'annotations' / f'instances_{split}.json'


def _loader(dataset: Mapping, batch: int) -> dict:
    sampler = {'type': 'DefaultSampler', 'shuffle': False}
    return {'batch_size': batch, 'num_workers': 0, 'sampler': sampler, 'dataset': dataset}
