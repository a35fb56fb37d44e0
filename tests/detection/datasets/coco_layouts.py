"""COCO folders of three classes in the layouts that are around."""

import json
from pathlib import Path

from tests.tiny_data import picture

CLASSES = ('ship', 'tree', 'house')
IDS = (9, 4, 6)  # in no order
LAYOUTS = {
    'coco': ('annotations/instances_{}2017.json', '{}2017', ('train', 'val')),
    'coco, images in a folder': ('annotations/instances_{}.json', 'images/{}', ('train', 'val')),
    'one folder of images': ('annotations/{}.json', 'images', ('train', 'val', 'test')),
    'images by their paths': ('annotations/{}.json', '.', ('train', 'val')),
    'roboflow': ('{}/_annotations.coco.json', '{}', ('train', 'valid', 'test')),
    'a file and a folder': ('{}.json', '{}', ('train', 'validation')),
    'test instead of val': ('{}/annotations.json', '{}/images', ('train', 'test')),
}


def write_layout(root: Path, layout: str, counts=(4, 2, 3)) -> Path:
    """Write a data set, a few images each split; give its folder."""
    annotations, images, splits = LAYOUTS[layout]
    for split, count in zip(splits, counts, strict=False):
        prefix = f'{split}_' if layout == 'images by their paths' else ''
        names = [f'{prefix}{split}{number}.jpg' for number in range(count)]
        if prefix:
            names = [f'somewhere/{name}' for name in names]
        content = annotation_content(names, group=layout == 'roboflow')
        file = root / annotations.format(split)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))
        for number, name in enumerate(names):
            image = root / images.format(split) / name
            image.parent.mkdir(parents=True, exist_ok=True)
            picture(number, 96, 64).save(image)
    return root


def annotation_content(names, group=False):
    """Two objects an image; with ``group``, a category 0 as Roboflow has it."""
    categories = [dict(id=i, name=name) for i, name in zip(IDS, CLASSES, strict=True)]
    if group:
        categories.insert(0, dict(id=0, name='things', supercategory='none'))
    annotations = []
    for image in range(len(names)):
        for place in range(2):
            x, y, w, h = 8 + 30 * place, 6 + 4 * image, 28, 36
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=image,
                    category_id=IDS[(image + place) % 3],
                    bbox=[x, y, w, h],
                    area=w * h,
                    iscrowd=0,
                    segmentation=[[x, y, x + w, y, x + w, y + h, x, y + h]],
                )
            )
    images = [dict(id=i, file_name=name, width=96, height=64) for i, name in enumerate(names)]
    return dict(images=images, annotations=annotations, categories=categories)
