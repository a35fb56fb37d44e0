"""A COCO folder of a few pictures whose annotation files are changed, and a config on it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mmengine.config import Config

from tests.tiny_data import picture

NAMES = ('circle', 'square')
WIDTH, HEIGHT, COUNT, PER_IMAGE = 50, 40, 6, 3


def content(prefix):
    """Six images of three objects each, which have polygons."""
    images = [
        dict(id=i, file_name=f'{prefix}{i}.jpg', width=WIDTH, height=HEIGHT)
        for i in range(1, COUNT + 1)
    ]
    annotations = []
    for i in range(COUNT * PER_IMAGE):
        x, y, w, h = 3 + i, 2 + i % 5, 12, 10
        polygon = [x, y, x + w, y, x + w, y + h, x, y + h]
        annotations.append(
            dict(id=i + 1, image_id=1 + i // PER_IMAGE, category_id=5 + i % 2, iscrowd=0,
                 bbox=[x, y, w, h], area=w * h, segmentation=[polygon])
        )  # fmt: skip
    categories = [dict(id=5 + i, name=name) for i, name in enumerate(NAMES)]
    return dict(images=images, annotations=annotations, categories=categories)


@dataclass
class Annotated:
    """The folder, and what its files say."""

    root: Path
    files: dict = field(default_factory=dict)

    @classmethod
    def write(cls, root):
        """Pictures of ``train`` and ``val``, all of them different."""
        case = cls(root)
        for place, split in enumerate(('train', 'val')):
            (root / split).mkdir(parents=True)
            case.files[split] = content(split)
            for image in case.files[split]['images']:
                file = root / split / image['file_name']
                picture(100 * place + image['id'], WIDTH, HEIGHT).save(file)
            case.change(split, lambda _: None)
        return case

    def path(self, split):
        """The annotation file of a split."""
        return self.root / f'{split}.json'

    def change(self, split, edit: Callable):
        """Edit what a file says, in place, and write it."""
        edit(self.files[split])
        self.path(split).write_text(json.dumps(self.files[split]))

    def dataset(self, split, **changes):
        """Config of a data set."""
        steps = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations', with_bbox=True)]
        common = dict(
            type='CocoDataset',
            data_root=str(self.root),
            ann_file=f'{split}.json',
            data_prefix=dict(img=f'{split}/'),
            metainfo=dict(classes=NAMES),
            test_mode=split != 'train',
            pipeline=steps,
        )
        return common | changes

    def config(self, train=None, val=None, evaluator=None, model=None):
        """Config of a detector on the folder; each part may be changed."""
        judge = dict(type='rethink_det.CocoMetric', ann_file=str(self.path('val')))
        return Config(
            dict(
                default_scope='mmdet',
                model=model or dict(roi_head=dict(bbox_head=dict(num_classes=2))),
                train_dataloader=dict(dataset=self.dataset('train', **train or {})),
                val_dataloader=dict(dataset=self.dataset('val', **val or {})),
                val_evaluator=judge | (evaluator or {}),
            )
        )
