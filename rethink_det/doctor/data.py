"""Which data sets are where the configs look for them, and how much of each."""

import os
from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain
from pathlib import Path

from rethink_det.datasets.cifar.source import find_source
from rethink_det.datasets.cifar.versions import CIFAR10_VERSIONS, CIFAR100_VERSIONS, Version
from rethink_det.datasets.shapes.build import CARD
from rethink_det.doctor.finding import Ability, Finding
from rethink_det.errors import UserError

COCO_IMAGES = {'train2017': 118_287, 'val2017': 5_000}
VOC_LISTS = {'VOC2007': ('trainval', 'test'), 'VOC2012': ('trainval',)}
IMAGENET_CLASSES = 1000
PARENT = 'resnet56.pth'
"""Of the study that prunes a network given to it, beside its data."""


def check_shapes(root: Path) -> Finding:
    """The embedded data set; it needs nothing but room."""
    made = (root / CARD).is_file()
    usable = made or not any(_names(root))
    state = 'made' if made else 'to be made on first use'
    remedy = f'{root} holds something else: move it away, or give another data_root'
    what = Ability('train, prune and study on shapes (demo, shapes)', usable, remedy)
    return Finding({'content': state if usable else 'something else'}, (what,))


def check_cifar(root: Path, title: str, versions: tuple[Version, ...]) -> Finding:
    """A version as published, extracted or in its archive; its content is not read."""
    what = f'{title} studies'
    try:
        source = find_source(root, title, versions)
        source.files(chain(*source.version.splits.values(), [source.version.names]))
    except UserError as error:
        return Finding({'as published': 'no'}, (Ability(what, False, str(error)),))
    return Finding({'as published': source.path.name}, (Ability(what, True),))


def check_cifar10(root: Path) -> Finding:
    """As published, or as a folder of images, or both; each serves configs of its own."""
    published = check_cifar(root, 'CIFAR-10', CIFAR10_VERSIONS)
    counts = {split: _images_by_class(root / split) for split in ('train', 'test')}
    facts = {
        **published.facts,
        'as images': {s: f'{sum(c)} in {len(c)} classes' for s, c in counts.items() if c} or 'no',
    }
    complete = all(len(count) == 10 and all(count) for count in counts.values())
    layout = f'{root}: put the images into {{train,test}}/<class>/<n>.jpg, 10 classes'
    parent = root.parent / PARENT
    images = Ability('configs of CIFAR-10 as images', complete, layout)
    study = Ability(
        'the CPU study cifar10_resnet56_l1norm',
        complete and parent.is_file(),
        f'{layout}; and its parent, a trained ResNet-56, to {parent}',
    )
    return Finding(facts, (*published.abilities, images, study))


def check_imagenet(root: Path) -> Finding:
    """Class folders of both splits, none of them empty; images are not counted."""
    facts, complete = {}, True
    for split in ('train', 'val'):
        filled = [any(_names(folder)) for folder in _folders(root / split)]
        facts[split] = f'{sum(filled)} of {IMAGENET_CLASSES} class folders with images'
        complete &= len(filled) == IMAGENET_CLASSES and all(filled)
    remedy = f'{root}: put the images into {{train,val}}/<wnid>/, {IMAGENET_CLASSES} classes each'
    return Finding(facts, (Ability('ImageNet studies', complete, remedy),))


def check_coco(root: Path) -> Finding:
    """Images and annotations of COCO 2017."""
    facts, lacking = {}, []
    for split, expected in COCO_IMAGES.items():
        annotations = root / 'annotations' / f'instances_{split}.json'
        images = sum(name.endswith('.jpg') for name in _names(root / split))
        listed = 'with annotations' if annotations.is_file() else 'no annotations'
        facts[split] = f'{images} of {expected} images, {listed}'
        lacking += [] if annotations.is_file() else [f'annotations/{annotations.name}']
        lacking += [] if images >= expected else [f'{split}/']
    remedy = f'{root}: not complete, {", ".join(lacking)}; link your COCO 2017 to {root}'
    return Finding(facts, (Ability('COCO detectors', not lacking, remedy),))


def check_voc(root: Path) -> Finding:
    """Pascal VOC 2007 and 2012: every listed image has a file, and there are annotations."""
    facts, lacking = {}, []
    for year, lists in VOC_LISTS.items():
        images = {Path(name).stem for name in _names(root / year / 'JPEGImages')}
        labels = {Path(name).stem for name in _names(root / year / 'Annotations')}
        for name in lists:
            file = root / year / 'ImageSets' / 'Main' / f'{name}.txt'
            wanted = set(file.read_text().split()) if file.is_file() else set()
            complete = bool(wanted) and wanted <= images & labels
            facts[f'{year} {name}'] = f'{len(wanted & images & labels)} of {len(wanted)} images'
            lacking += [] if complete else [f'{year}/ImageSets/Main/{name}.txt']
    remedy = (
        f'{root}: not complete, the images and annotations of {", ".join(lacking)}; '
        f'link your VOCdevkit to {root}'
    )
    return Finding(facts, (Ability('Pascal VOC detectors', not lacking, remedy),))


PLACES: dict[str, Callable[[Path], Finding]] = {
    'data/shapes': check_shapes,
    'data/cifar10': check_cifar10,
    'data/cifar100': partial(check_cifar, title='CIFAR-100', versions=CIFAR100_VERSIONS),
    'data/imagenet': check_imagenet,
    'data/coco': check_coco,
    'data/VOCdevkit': check_voc,
}
"""The folders that this package's and mmdet's configs name, below the current one."""


def _at(place: str, check: Callable[[Path], Finding]) -> Finding:
    root = Path(place)
    finding = check(root)
    facts = {'folder': str(root.resolve()), **finding.facts}
    return Finding(facts if root.exists() else {'folder': 'not there'}, finding.abilities)


DATA_CHECKS = {place: partial(_at, place, check) for place, check in PLACES.items()}


def _names(folder: Path) -> Iterable[str]:
    """Names in a folder, one at a time; none if there is no folder."""
    if folder.is_dir():
        with os.scandir(folder) as entries:
            yield from (entry.name for entry in entries)


def _folders(folder: Path) -> list[Path]:
    return [folder / name for name in _names(folder) if (folder / name).is_dir()]


def _images_by_class(folder: Path) -> list[int]:
    return [sum(1 for _ in _names(path)) for path in _folders(folder)]
