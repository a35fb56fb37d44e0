"""Tiny data sets in the formats that the configs read: folders of images, ImageNet, COCO."""

import json
import os

import numpy as np
import torch
import torchvision
from mmdet.datasets import CocoDataset
from PIL import Image

from tests.cifar_files import TEN, drawn


def picture(seed, width=50, height=40):
    """A smooth RGB image, as photographs are: noise of 5 x 4 pixels, enlarged."""
    noise = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


def write_image_folder(root):
    """``<split>/<class>/<n>.jpg``: CIFAR-10 as a folder, one image of each class."""
    for split in ('train', 'test'):
        for pixels, label in zip(*drawn(10, 10, seed=0), strict=True):
            folder = root / split / TEN[label]
            folder.mkdir(parents=True)
            image = pixels.reshape(3, 32, 32).transpose(1, 2, 0)
            Image.fromarray(image).save(folder / '1.jpg')


def write_imagenet(root, wnids=tuple(f'n{number:08d}' for number in range(1000)), images=1):
    """``{train,val}/<wnid>/<wnid>_<n>.JPEG``, the first twelve of which differ."""
    for split in ('train', 'val'):
        first = []
        for wnid in wnids:
            (root / split / wnid).mkdir(parents=True)
            for number in range(images):
                file = root / split / wnid / f'{wnid}_{number}.JPEG'
                if len(first) < 12:
                    picture(len(first)).save(file, 'JPEG', quality=95)
                    first.append(file)
                else:
                    os.link(first[number % 12], file)


def write_coco(root, names=CocoDataset.METAINFO['classes']):
    """``{train,val}2017/<12 digits>.jpg`` and ``annotations/instances_{train,val}2017.json``.

    As in the real files, the numbers of the categories have gaps, objects are polygons and
    crowds are run lengths.
    """
    missing = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
    numbers = [number for number in range(1, 91) if number not in missing]
    numbers = numbers[: len(names)]
    categories = [dict(id=i, name=name) for i, name in zip(numbers, names, strict=True)]
    (root / 'annotations').mkdir(parents=True)
    for split, count in (('train2017', 4), ('val2017', 2)):
        (root / split).mkdir()
        images, annotations = [], []
        for number in range(1, count + 1):
            name = f'{number:012d}.jpg'
            picture(number, 320, 240).save(root / split / name)
            images.append(dict(id=number, file_name=name, width=320, height=240))
            annotations += _objects(number, numbers)
        content = dict(images=images, annotations=annotations, categories=categories)
        (root / 'annotations' / f'instances_{split}.json').write_text(json.dumps(content))


def _objects(image, categories):
    """Two objects and a crowd."""
    boxes = [(10 * image, 10, 230, 150), (60, 10 * image, 160, 170)]
    objects = [
        dict(
            category_id=categories[(37 * image + place) % len(categories)],
            bbox=[x, y, width, height],
            segmentation=[[x, y, x + width, y, x + width, y + height, x, y + height]],
            area=width * height,
            iscrowd=0,
        )
        for place, (x, y, width, height) in enumerate(boxes)
    ]
    counts = [240 * 280, 240 * 40]  # the last forty columns
    crowd = dict(
        category_id=1,
        bbox=[280, 0, 40, 240],
        segmentation=dict(size=[240, 320], counts=counts),
        area=counts[1],
        iscrowd=1,
    )
    found = [*objects, crowd]
    return [dict(found[i], id=10 * image + i, image_id=image) for i in range(len(found))]


def write_weights(path):
    """What ``torchvision://resnet34`` would download, with fresh weights."""
    torch.save(getattr(torchvision.models, path.stem)(weights=None).state_dict(), path)
