"""A COCO data set of a config: what its file says, against its pictures, classes and heads."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from rethink_det.detection.datasets.annotation_file import (
    BAD_MASK,
    BROKEN_MASK,
    NO_MASK,
    AnnotationFile,
)
from rethink_det.detection.datasets.left_out import MOST, check_left_out, frames, repeated
from rethink_det.detection.datasets.loading import loads_masks
from rethink_det.detection.datasets.part import Part
from rethink_det.detection.datasets.picture_sizes import Declared, check_sizes
from rethink_det.errors import UserError
from rethink_det.registered import is_type
from rethink_det.registry import DATASETS

BY_NAME, JUDGES_BY_NAME = 'rethink_det.CocoDataset', 'rethink_det.CocoMetric'
"""What numbers classes by their names in the config, whatever their order in a file."""

_BEYOND = 1.0  # pixels by which boxes may reach beyond a picture: they are often rounded


@dataclass(frozen=True, eq=False)
class CocoPart(Part):
    """A data set that reads its file as mmdet's ``CocoDataset`` does."""

    @property
    def folder(self) -> Path:
        """Where the names of its pictures start from."""
        return self.root / (self.settings.get('data_prefix') or {}).get('img', '')

    @property
    def file(self) -> AnnotationFile:
        """Its annotations.

        Raises:
            UserError: The file is missing, or is no COCO annotation file.
        """
        path = self.root / self.settings['ann_file']
        if not path.is_file():
            raise UserError(
                f'{path} does not exist. Set {self.key}.data_root and {self.key}.ann_file, or '
                'link your data there.'
            )
        return AnnotationFile.read(path)

    def pictures(self) -> list[Path]:
        """The files of its images."""
        return [self.folder / image.name for image in self.file.images]

    def objects(self) -> tuple[list[str], np.ndarray]:
        """See :meth:`.part.Part.objects`."""
        file = self.file
        names = {category.number: category.name for category in file.categories}
        sides = np.sqrt(np.abs(file.objects.boxes[:, 2:].prod(1)))
        return [names[number] for number in file.objects.categories], sides

    def check(self, heads: Mapping[str, int]) -> Iterator[str]:
        """See :meth:`.part.Part.check`."""
        file = self.file
        check_images(file, self.folder, f'{self.key}.data_prefix.img')
        check_references(file)
        check_names(file, self.classes)
        _check_spelling(file, self.classes, self.key)
        check_classes(file, self.classes, heads, self.key)
        check_all_there(file, self.classes, self.key)
        if not is_type(self.settings, BY_NAME, DATASETS):
            check_order(file, self.classes, self.key)
        declared = [
            Declared(self.folder / image.name, image.width, image.height) for image in file.images
        ]
        yield from check_sizes(declared, file.path, self.settings, self.key)
        if self.is_trained_on and file.objects.crowds.all():
            found = 'crowds alone' if len(file.objects) else 'no objects'
            raise UserError(f'{file.path} has {found}: {self.key} would teach nothing.')
        yield from _check_files(file)
        yield from check_boxes(file)
        trained = self.is_trained_on
        yield from check_left_out(file, self.classes, self.filters, self.key, trained)
        if trained:
            yield from _check_counts(file, self.classes)
        yield from _check_masks(file, self.settings, self.key)


def check_images(file: AnnotationFile, folder: Path, key: str) -> None:
    """Refuse a folder that lacks an image.

    Args:
        file: That lists the images.
        folder: Where they should be.
        key: Of the folder in the config.

    Raises:
        UserError: Names the folder, or the first image that is not there.
    """
    if not folder.is_dir():
        raise UserError(f'{folder} is no folder. Set {key}.')
    there = set(os.listdir(folder))
    names = sorted({image.name for image in file.images} - there)
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise UserError(
            f'{file.path} lists {len(file.images)} images, {len(missing)} of them are not in '
            f'{folder}: {missing[0]}, ...'
        )


def _check_files(file: AnnotationFile) -> Iterator[str]:
    """Images that are one picture: what is drawn on it is divided among them."""
    counts = Counter(image.name for image in file.images)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        yield (
            f'{file.path}: {len(twice)} pictures are listed as several images ({twice[0]} as '
            f'{counts[twice[0]]}): each of them has its own objects alone, and lacks those of the '
            'others.'
        )


def check_references(file: AnnotationFile) -> None:
    """Refuse annotations of images or categories that the file does not list.

    mmdet leaves both kinds out without a word.

    Raises:
        UserError: Names the first such annotation.
    """
    objects = file.objects
    images = {image.number for image in file.images}
    categories = {category.number for category in file.categories}
    places = zip(objects.numbers, objects.images, objects.categories, strict=True)
    for number, image, category in places:
        if image not in images:
            raise UserError(
                f'{file.path}: annotation {number!r} belongs to image_id {image!r}, which is not '
                'in its images.'
            )
        if category not in categories:
            raise UserError(
                f'{file.path}: annotation {number!r} has category_id {category!r}, which is not '
                f'in its categories ({_some(map(repr, categories))}).'
            )


def check_classes(
    file: AnnotationFile, classes: Iterable[str], heads: Mapping[str, int], key: str
) -> None:
    """Refuse a head that has another number of classes than the file has.

    mmdet numbers those categories of the file that are among the data set's classes: a
    head of another number would learn classes that never come, or fail at the first that
    it does not have.

    Args:
        file: The annotations.
        classes: Names of the data set's classes.
        heads: Config key to number of classes of every head that tells classes apart.
        key: The data set's key in the config.

    Raises:
        UserError: Names the head, both numbers and what to set.
    """
    wanted = set(classes)
    found = [name for name in file.names if name in wanted]
    place = next((place for place, number in heads.items() if number != len(found)), None)
    if place is None:
        return
    raise UserError(
        f"{place} is {heads[place]}, but {file.path} has {len(found)} of the data set's "
        f'{len(wanted)} classes; its {len(file.categories)} categories are '
        f'{_some(file.names)}. Set num_classes of every head and {key}.'
        'metainfo=dict(classes=(...)) of every data set; train --data-root FOLDER does both.'
    )


def check_names(file: AnnotationFile, classes: tuple[str, ...]) -> None:
    """Refuse two categories of one name: mmdet would learn two classes.

    Raises:
        UserError: Names the two.
    """
    counts = Counter(name for name in file.names if name in classes)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        both = [str(one.number) for one in file.categories if one.name == twice[0]]
        raise UserError(
            f"{file.path}: the categories {' and '.join(both)} are both called '{twice[0]}', and "
            'mmdet would tell them apart. Rename or remove the one that no object has.'
        )


def check_all_there(file: AnnotationFile, classes: tuple[str, ...], key: str) -> None:
    """Refuse a file without a category for each class of the config.

    Raises:
        UserError: A class has no category.
    """
    missing = [name for name in classes if name not in file.names]
    if missing:
        close = _close(missing[0], file.names)
        raise _missing(file, missing[0], key, f"'{close}'" if close else _some(file.names))


def _check_spelling(file: AnnotationFile, classes: tuple[str, ...], key: str) -> None:
    """Refuse a class without a category where one is meant that is but written otherwise."""
    others = {_letters(name): name for name in file.names if name not in classes}
    for name in classes:
        if name not in file.names and _letters(name) in others:
            raise _missing(file, name, key, f"'{others[_letters(name)]}'")


def _letters(name: str) -> str:
    """A name without what people write in many ways: case, spaces, hyphens."""
    return re.sub(r'[\W_]+', '', name.casefold())


def _missing(file: AnnotationFile, name: str, key: str, there: str) -> UserError:
    return UserError(
        f"{file.path} has no category '{name}', which is among the classes of {key}; it has "
        f'{there}. List the same categories in every file, and set {key}.metainfo.classes.'
    )


def check_order(file: AnnotationFile, classes: tuple[str, ...], key: str) -> None:
    """Refuse a file whose categories mmdet would number otherwise than the config's classes.

    mmdet numbers those that are among the classes by their order in the file; what the
    numbers are called is the order of the config's classes.

    Raises:
        UserError: The order is another.
    """
    numbered = tuple(name for name in file.names if name in set(classes))
    if numbered != classes:
        raise UserError(
            f'{file.path} has the categories {_some(numbered, 12)}, in this order, by which mmdet '
            f'numbers them; {key}.metainfo.classes is {_some(classes, 12)}. Bring every file and '
            'metainfo.classes of every data set into one order, or go by names: '
            f"type='{BY_NAME}' for every data set, '{JUDGES_BY_NAME}' for their evaluators."
        )


def check_boxes(file: AnnotationFile) -> Iterator[str]:
    """Boxes that are not what COCO says they are, or there twice.

    Raises:
        UserError: They look like x1, y1, x2, y2, or most reach beyond their pictures.
    """
    found, total = frames(file), len(file.objects)
    inside = (found.inside > 0).all(1)
    beyond = found.beyond * inside
    out = beyond > _BEYOND
    if out.any() and _look_like_corners(found.boxes, found.sizes):
        raise UserError(
            f'{file.path}: the boxes look like x1, y1, x2, y2; bbox must be x, y, width, height.'
        )
    if out.any():
        first = file.objects.numbers[int(out.argmax())]
        told = (
            f'{file.path}: of {total} boxes {out.sum()} reach beyond their picture, by up to '
            f'{beyond.max():g} pixels (the first is annotation {first!r})'
        )
        if out.sum() > MOST * total:
            raise UserError(
                f'{told}: bbox must be x, y, width, height in pixels of a picture of the width and '
                'height given.'
            )
        yield f'{told}; they are used as they are.'
    yield from _check_areas(file)
    twice = repeated(file)
    if twice:
        yield (
            f'{file.path}: of {total} boxes {len(twice)} are there twice or more on one image (the '
            f'first is annotation {twice[0]!r}).'
        )


def _check_areas(file: AnnotationFile) -> Iterator[str]:
    """Areas, by which COCO calls objects small or large, are of masks that fit into the box."""
    sides = file.objects.boxes[:, 2:] + 2 * _BEYOND
    wrong = file.objects.areas > sides.clip(0).prod(1)
    if wrong.any():
        yield (
            f'{file.path}: of {len(wrong)} objects {wrong.sum()} have an area larger than their '
            f'box (the first is annotation {file.objects.numbers[int(wrong.argmax())]!r}): COCO '
            'takes their size from it.'
        )


def _check_counts(file: AnnotationFile, classes: tuple[str, ...]) -> Iterator[str]:
    """A class of which there is no object will not be learnt."""
    used = set(file.objects.categories)
    never = [one.name for one in file.categories if one.name in classes and one.number not in used]
    if never:
        yield f'{file.path}: of {len(classes)} classes {len(never)} have no object: {_some(never)}.'


def _look_like_corners(boxes: np.ndarray, sizes: np.ndarray) -> bool:
    """Whether all ends are right of and below their starts, and inside, taken as corners."""
    first, last = boxes[:, :2], boxes[:, 2:]
    corners = (first >= 0) & (last > first) & (last <= sizes + _BEYOND)
    return bool(corners.all())


def _check_masks(file: AnnotationFile, settings: Mapping, key: str) -> Iterator[str]:
    """Masks that are loaded must be there, and of their picture's size."""
    _check_mask_sizes(file)
    kinds, total = file.objects.masks, len(file.objects)
    if not loads_masks(settings):
        return
    if (kinds == NO_MASK).any():
        first = file.objects.numbers[int((kinds == NO_MASK).argmax())]
        raise UserError(
            f'{file.path}: {(kinds == NO_MASK).sum()} of {total} objects have no segmentation '
            f'(the first is annotation {first!r}), but {key}.pipeline loads masks. For boxes '
            'alone, set with_mask=False in its LoadAnnotations, which train --data-root does for a '
            'detector that learns no masks.'
        )
    check_unbroken(file)
    if (kinds == BAD_MASK).any():
        first = file.objects.numbers[int((kinds == BAD_MASK).argmax())]
        told = (
            f'{file.path}: {(kinds == BAD_MASK).sum()} of {total} objects have a segmentation that '
            f'is neither polygons of three points or more nor run lengths (the first is '
            f'annotation {first!r})'
        )
        if (kinds == BAD_MASK).sum() > MOST * total:
            raise UserError(f'{told}: [[x1, y1, x2, y2, x3, y3, ...], ...] is a mask.')
        yield f'{told}; mmdet ignores them.'


def check_unbroken(file: AnnotationFile) -> None:
    """Refuse masks that nobody can draw.

    Raises:
        UserError: Coordinates of a polygon are no finite numbers, or run lengths are not those of
            a mask of their size.
    """
    broken = file.objects.masks == BROKEN_MASK
    if broken.any():
        raise UserError(
            f'{file.path}: {broken.sum()} of {len(broken)} objects have a segmentation that cannot '
            f'be drawn (the first is annotation {file.objects.numbers[int(broken.argmax())]!r}): '
            'coordinates must be finite numbers, run lengths whole ones that add up to height x '
            'width. Export the masks anew, or remove these objects.'
        )


def _check_mask_sizes(file: AnnotationFile) -> None:
    sizes = {image.number: (image.height, image.width) for image in file.images}
    for place, size in file.objects.mask_sizes.items():
        picture = sizes[file.objects.images[place]]
        if size != picture:
            number = file.objects.numbers[place]
            raise UserError(
                f'{file.path}: the run lengths of annotation {number!r} are of a mask of height '
                f'and width {list(size)}, its image has {list(picture)}. Draw the mask at its '
                "image's size."
            )


def _close(name: str, names: Iterable[str]) -> str | None:
    """A name that is probably meant by another."""
    folded = {other.casefold().strip(): other for other in names}
    found = get_close_matches(name.casefold().strip(), folded, n=1)
    return folded[found[0]] if found else None


def _some(names: Iterable[str], most: int = 6) -> str:
    names = list(names)
    return ', '.join(names[:most]) + (', ...' if len(names) > most else '') or 'none'
