"""What of a COCO file mmdet leaves out when it loads it, without a word: counted and said."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from rethink_det.detection.datasets.annotation_file import AnnotationFile, ImageEntry
from rethink_det.detection.datasets.ids import Name
from rethink_det.errors import UserError

_OTHER_CLASS = 'of classes that are not learnt'
_IGNORED = "marked 'ignore'"
_WISHED = (_OTHER_CLASS, _IGNORED)  # by the config or the file itself
_REMEDIES = {
    'of negative width or height': 'bbox must be x, y, width, height',
    'less than a pixel wide or high': 'bbox must be x, y, width, height in pixels, not shares',
    'outside their picture': 'bbox must be in pixels of a picture of the width and height given',
    'of area 0': 'set area to the pixels that the mask covers, or to width x height of the box',
    'of negative area': 'set area to the pixels that the mask covers, or to width x height',
    'on pictures smaller than min_size': "change filter_cfg's min_size",
}
MOST = 0.5
"""Share of the objects of which more may not be left out."""


class Frames(NamedTuple):
    """Boxes and the pictures they are in, by object: float64 (N, 4) and (N, 2)."""

    boxes: np.ndarray
    sizes: np.ndarray

    @property
    def inside(self) -> np.ndarray:
        """Width and height of what of each box is in its picture, float64 (N, 2)."""
        first, last = self.boxes[:, :2], self.boxes[:, :2] + self.boxes[:, 2:]
        return np.maximum(0, np.minimum(last, self.sizes) - np.maximum(first, 0))

    @property
    def beyond(self) -> np.ndarray:
        """By how many pixels each box reaches beyond its picture at most, float64 (N,)."""
        last = self.boxes[:, :2] + self.boxes[:, 2:]
        return np.maximum(-self.boxes[:, :2], last - self.sizes).max(1).clip(0)


def frames(file: AnnotationFile) -> Frames:
    """The boxes of a file and the sizes it gives for their pictures."""
    sizes = {image.number: (image.width, image.height) for image in file.images}
    found = [sizes[number] for number in file.objects.images]
    return Frames(file.objects.boxes, np.array(found, float).reshape(-1, 2))


def reasons(
    file: AnnotationFile, classes: tuple[str, ...], filters: Mapping
) -> dict[str, np.ndarray]:
    """Why objects are left out, in mmdet's order: reason to bool (N,), each object once."""
    objects, framed = file.objects, frames(file)
    wide = framed.boxes[:, 2:]
    numbers = {category.number for category in file.categories if category.name in classes}
    learnt = np.array([number in numbers for number in objects.categories], bool)
    found = {
        _IGNORED: objects.ignored,
        _OTHER_CLASS: ~learnt,
        'of negative width or height': (wide < 0).any(1),
        'less than a pixel wide or high': (wide < 1).any(1),
        'outside their picture': (framed.inside == 0).any(1),
        'of area 0': objects.areas == 0,
        'of negative area': objects.areas < 0,
        'on pictures smaller than min_size': framed.sizes.min(1, initial=np.inf)
        < filters.get('min_size', 0),
    }
    left = np.ones(len(objects), bool)
    for reason, which in found.items():
        found[reason] = which & left
        left &= ~which
    return {reason: which for reason, which in found.items() if which.any()}


def check_left_out(
    file: AnnotationFile,
    classes: tuple[str, ...],
    filters: Mapping,
    key: str,
    trained: bool = True,
) -> Iterator[str]:
    """Say what is left out, a line for objects and one for images.

    Args:
        file: The annotations.
        classes: Names of the classes that are learnt.
        filters: The ``filter_cfg`` that is applied; empty where none is.
        key: The data set's key in the config.
        trained: Whether the images are trained on; a metric that reads the file itself leaves
            nothing out.

    Raises:
        UserError: No object is left, or most are left out that nobody asked to leave out.
    """
    found = reasons(file, classes, filters)
    out = np.logical_or.reduce(list(found.values())) if found else np.zeros(len(file.objects), bool)
    if found:
        told = _counted(file, found)
        wished = sum(int(found[reason].sum()) for reason in _WISHED if reason in found)
        meant = len(out) - wished
        if out.all() or int(out.sum()) - wished > MOST * meant:
            remedies = [_REMEDIES[reason] for reason in found if reason in _REMEDIES]
            remedy = '; '.join(dict.fromkeys(remedies)) or f"set {key}.metainfo's classes"
            raise UserError(f'{told} That leaves too little: {remedy}.')
        yield told if trained else f'{told} A metric that reads this file counts them.'
    if trained:
        yield from _check_images(file, out, found, filters)


def _counted(file: AnnotationFile, found: Mapping[str, np.ndarray]) -> str:
    total = sum(int(which.sum()) for which in found.values())
    told = ', '.join(f'{which.sum()} {reason}' for reason, which in found.items())
    place = next(int(which.argmax()) for which in found.values())
    first = file.objects.numbers[place]
    return (
        f'{file.path}: of {len(file.objects)} objects {total} are left out: {told} '
        f'(the first is annotation {first!r}).'
    )


def _check_images(
    file: AnnotationFile,
    out: np.ndarray,
    found: Mapping[str, np.ndarray],
    filters: Mapping,
) -> Iterator[str]:
    objects, total = file.objects, len(file.images)
    other = found.get(_OTHER_CLASS, np.zeros(len(objects), bool))
    pairs = list(zip(objects.images, other.tolist(), out.tolist(), strict=True))
    listed = {image for image, is_other, _ in pairs if not is_other}
    used = {image for image, _, is_out in pairs if not is_out}
    small = [one for one in file.images if min(one[2:]) < filters.get('min_size', 0)]
    empty = [image for image in file.images if image.number not in listed]
    robbed = [image for image in file.images if image.number in listed - used]
    if small:
        yield f'{file.path}: of {total} images {_some(small)} smaller than min_size and left out.'
    if empty:
        skipped = bool(filters.get('filter_empty_gt'))
        fate = 'left out (filter_empty_gt)' if skipped else 'taken as pictures of nothing'
        yield f'{file.path}: of {total} images {_some(empty)} without objects and {fate}.'
    robbed = [image for image in robbed if image not in small]
    if robbed:
        yield (
            f'{file.path}: of {total} images {_some(robbed)} taken as pictures of nothing, because '
            'all their objects are left out.'
        )


def _some(images: list[ImageEntry]) -> str:
    verb = 'is' if len(images) == 1 else 'are'
    return f'{len(images)} ({images[0].name}{", ..." if len(images) > 1 else ""}) {verb}'


def repeated(file: AnnotationFile) -> list[Name]:
    """The objects whose box is exactly that of an earlier one on the same image; no crowds."""
    objects, seen = file.objects, set()
    found: list[Name] = []
    boxes = map(tuple, objects.boxes.tolist())
    rows = zip(objects.numbers, objects.images, boxes, objects.crowds, strict=True)
    for number, image, box, is_crowd in rows:
        if is_crowd:
            continue
        if (image, box) in seen:
            found.append(number)
        seen.add((image, box))
    return found
