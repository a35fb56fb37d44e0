"""A PASCAL VOC data set of a config, looked at before anything is trained on it."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

from rethink_det.detection.datasets.left_out import MOST
from rethink_det.detection.datasets.part import Part
from rethink_det.detection.datasets.picture_sizes import Declared, check_sizes
from rethink_det.errors import UserError

_CORNERS = ('xmin', 'ymin', 'xmax', 'ymax')


class VocObject(NamedTuple):
    """An object: its class, its box in pixels from 1, and whether it is marked as difficult."""

    name: str
    box: tuple[float, ...]
    difficult: bool = False


class VocImage(NamedTuple):
    """What an annotation file says; ``size`` is width and height in pixels, if it says so.

    ``picture`` is the name of its picture.
    """

    path: Path
    size: tuple[int, int] | None
    objects: tuple[VocObject, ...]
    picture: str = ''


@dataclass(frozen=True, eq=False)
class VocPart(Part):
    """A data set that reads a list of images and an XML file of each, mmdet's ``XMLDataset``."""

    @property
    def listing(self) -> Path:
        """The list of images."""
        return self.root / self.settings['ann_file']

    @property
    def folder(self) -> Path:
        """The folder that has the folders of pictures and of annotations."""
        return self.root / (self.settings.get('data_prefix') or {}).get('sub_data_root', '')

    @property
    def names(self) -> list[str]:
        """Names of the images.

        Raises:
            UserError: The list is missing, or that of one class.
        """
        if not self.listing.is_file():
            raise UserError(
                f'{self.listing} does not exist. Set {self.key}.data_root (the folder that has '
                f'VOC2007, VOC2012) and {self.key}.ann_file, or link your data there.'
            )
        names = [name.strip('\r') for name in self.listing.read_text().split('\n') if name.strip()]
        if not names or any(' ' in name.strip() for name in names):
            raise UserError(
                f'{self.listing} must have the name of an image on every line, as trainval.txt '
                'has; the files that start with the name of a class say which images have that '
                'class.'
            )
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise UserError(f'{self.listing} has {twice[0]} more than once; leave one line of it.')
        return names

    def pictures(self) -> list[Path]:
        """The files of its images."""
        folder = self.folder / self.settings.get('img_subdir', 'JPEGImages')
        return [folder / f'{name}.jpg' for name in self.names]

    def images(self) -> list[VocImage]:
        """What its annotation files say."""
        folder = self.folder / self.settings.get('ann_subdir', 'Annotations')
        return [read_annotation(folder / f'{name}.xml') for name in self.names]

    def objects(self) -> tuple[list[str], np.ndarray]:
        """See :meth:`.part.Part.objects`."""
        found = [one for image in self.images() for one in image.objects]
        corners = np.array([one.box for one in found], float).reshape(-1, 4)
        sides = np.sqrt(np.abs((corners[:, 2:] - corners[:, :2]).prod(1)))
        return [one.name for one in found], sides

    def check(self, heads: Mapping[str, int]) -> Iterator[str]:
        """See :meth:`.part.Part.check`."""
        names, key = self.names, self.key
        annotations = self.folder / self.settings.get('ann_subdir', 'Annotations')
        pictures = self.pictures()
        _check_files(pictures[0].parent, names, 'jpg', self.listing, key)
        _check_files(annotations, names, 'xml', self.listing, key)
        images = self.images()
        yield from _check_names(images, self.listing, self.classes, key)
        for place, number in heads.items():
            if number != len(self.classes):
                raise UserError(f'{place} is {number}, but {key} has {len(self.classes)} classes.')
        yield from _check_boxes(images, self.listing)
        declared = [
            Declared(path, *image.size)
            for path, image in zip(pictures, images, strict=True)
            if image.size
        ]
        yield from check_sizes(declared, annotations, self.settings, key)


def read_annotation(file: Path) -> VocImage:
    """Read the XML file of an image; one that is the same as before is not read again.

    Raises:
        UserError: It is no such file: names the object or the element.
    """
    status = file.stat()
    return _read(file, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=100_000)
def _read(file: Path, size: int, changed: int) -> VocImage:
    try:
        root = ElementTree.parse(file).getroot()
    except (ElementTree.ParseError, UnicodeDecodeError, LookupError) as error:
        raise UserError(f'{file} is no XML file: {error}.') from None
    found = root.find('size')
    declared = None
    if found is not None:
        declared = (_whole(found, 'width', file), _whole(found, 'height', file))
    objects = tuple(_object(one, file) for one in root.findall('object'))
    return VocImage(file, declared, objects, (root.findtext('filename') or '').strip())


def _whole(node: ElementTree.Element, name: str, file: Path) -> int:
    text = node.findtext(name) or ''
    if not text.strip().isdigit() or not int(text):
        raise UserError(f'{file}: {name} is {text!r}, it must be the {name} of the picture.')
    return int(text)


def _object(node: ElementTree.Element, file: Path) -> VocObject:
    name, box = node.findtext('name'), node.find('bndbox')
    corners: tuple[float, ...] = ()
    try:
        if box is not None:
            corners = tuple(float(box.findtext(key) or '') for key in _CORNERS)
    except ValueError:
        pass
    if not name or len(corners) < 4 or not all(map(isfinite, corners)):
        raise UserError(
            f'{file}: an object {name!r} has no bndbox of four numbers {", ".join(_CORNERS)}.'
        )
    return VocObject(name, corners, (node.findtext('difficult') or '').strip() == '1')


def _check_files(folder: Path, names: Sequence[str], suffix: str, listing: Path, key: str) -> None:
    if not folder.is_dir():
        raise UserError(f'{folder} is no folder. Set {key}.data_prefix.sub_data_root.')
    there = set(os.listdir(folder))
    missing = [name for name in names if f'{name}.{suffix}' not in there]
    if missing:
        raise UserError(
            f'{listing} lists {len(names)} images, {len(missing)} of which have no file in '
            f'{folder}: {missing[0]}.{suffix}, ...'
        )


def _check_names(
    images: Sequence[VocImage], listing: Path, classes: Sequence[str], key: str
) -> Iterator[str]:
    """mmdet leaves objects of other classes out without a word."""
    found = Counter(one.name for image in images for one in image.objects)
    total, others = found.total(), {n: c for n, c in found.items() if n not in classes}
    if not others:
        return
    told = ', '.join(f"{count} of '{name}'" for name, count in sorted(others.items())[:6])
    told += ', ...' if len(others) > 6 else ''
    line = f'{listing}: of {total} objects {sum(others.values())} are left out: {told}'
    if len(others) == len(found):
        raise UserError(
            f'{line}. None of these classes is in {key}: set its metainfo=dict(classes=(...)).'
        )
    unused = {name.casefold().strip(): name for name in classes if name not in found}
    for name in sorted(others):
        close = get_close_matches(name.casefold().strip(), unused, n=1, cutoff=0.8)
        if close:
            raise UserError(
                f"{line}. '{name}' is probably '{unused[close[0]]}' of {key}.metainfo.classes, "
                'which no object has: spell them alike.'
            )
    yield f'{line}, which are not among the classes of {key}.'


def _check_boxes(images: Sequence[VocImage], listing: Path) -> Iterator[str]:
    """mmdet trains on boxes as they are: one of no size makes the loss infinite."""
    boxes = [(image, one.box) for image in images for one in image.objects]
    bad = [image for image, box in boxes if box[2] <= box[0] or box[3] <= box[1]]
    if bad:
        raise UserError(
            f'{listing}: of {len(boxes)} boxes {len(bad)} have no width or height, the first is in '
            f'{bad[0].path}: xmax must be above xmin, and ymax above ymin.'
        )
    out = [(image, box) for image, box in boxes if image.size and _is_beyond(box, image.size)]
    if out:
        told = (
            f'{listing}: of {len(boxes)} boxes {len(out)} reach beyond their picture (the first is '
            f'in {out[0][0].path.name})'
        )
        if len(out) > MOST * len(boxes):
            raise UserError(f'{told}: bndbox must be in pixels of a picture of the size given.')
        yield f'{told}; they are used as they are.'
    twice = [image for image in images if len({one.box for one in image.objects}) < len(image[2])]
    if twice:
        yield f'{listing}: {len(twice)} images have a box twice ({twice[0].path.name}, ...).'
    empty = [image for image in images if not image.objects]
    if empty:
        yield (
            f'{listing}: of {len(images)} images {len(empty)} have no objects '
            f'({empty[0].path.name}, ...).'
        )


def _is_beyond(box: Sequence[float], size: tuple[int, int]) -> bool:
    """VOC's pixels are counted from 1; a pixel more or less is rounding."""
    return box[0] < 0 or box[1] < 0 or box[2] > size[0] + 1 or box[3] > size[1] + 1
