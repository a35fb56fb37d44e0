"""The annotation files of a config's evaluators, against those of its loaders."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from rethink_det.detection.datasets.annotation_file import BAD_MASK, NO_MASK, AnnotationFile
from rethink_det.detection.datasets.coco_part import (
    JUDGES_BY_NAME,
    CocoPart,
    check_all_there,
    check_order,
    check_unbroken,
)
from rethink_det.detection.datasets.ids import Name
from rethink_det.errors import UserError
from rethink_det.registered import is_type
from rethink_det.registry import METRICS

_OF_COCO = (JUDGES_BY_NAME, 'mmdet.CocoMetric')


def check_evaluators(
    evaluators: Mapping | Sequence | None, parts: Sequence[CocoPart], key: str
) -> None:
    """Refuse an evaluator whose annotations are not those of the images that are run.

    Args:
        evaluators: One or several of a split.
        parts: The COCO data sets of its loader; none where they are not local COCO files.
        key: Of the evaluators in the config, ``'val_evaluator'``.

    Raises:
        UserError: The file is missing; it lacks images, has more or other ones, or other
            categories; or no object of it can be judged.
    """
    for metric, place in _listed(evaluators, key):
        annotations = metric.get('ann_file')
        if annotations and '://' not in annotations:
            if not os.path.isfile(annotations):
                raise UserError(f'{annotations} does not exist. Set {place}.ann_file.')
            if is_type(metric, _OF_COCO, METRICS) and parts:
                _check_coco(metric, AnnotationFile.read(Path(annotations)), parts, place)


def _listed(evaluators: Mapping | Sequence | None, key: str) -> Iterator[tuple[Mapping, str]]:
    if isinstance(evaluators, Mapping):
        yield evaluators, key
        return
    for place, metric in enumerate(evaluators or ()):
        yield metric, f'{key}.{place}'


def _check_coco(metric: Mapping, file: AnnotationFile, parts: Sequence[CocoPart], key: str) -> None:
    if metric.get('format_only'):
        return
    run = _images(parts)
    if all(part.file.path.resolve() != file.path.resolve() for part in parts) or len(parts) > 1:
        check_all_there(file, parts[0].classes, parts[0].key)
        _check_images(file, run, parts[0], key)
    own = is_type(metric, JUDGES_BY_NAME, METRICS)
    if not own:
        check_order(file, parts[0].classes, parts[0].key)
    objects = file.objects
    if objects.crowds.all():
        found = 'crowds alone' if len(objects) else 'no objects'
        raise UserError(f'{file.path} has {found}: {key} would judge nothing.')
    asked = metric.get('metric', 'bbox')
    metrics = [asked] if isinstance(asked, str) else asked
    without = np.isin(objects.masks, (NO_MASK, BAD_MASK))
    if 'segm' in metrics and without.any():
        raise UserError(
            f'{file.path}: {without.sum()} of {len(objects)} objects have no segmentation, the '
            f'first is annotation {objects.numbers[int(without.argmax())]!r}: {key}.metric can be '
            "'bbox' alone."
        )
    if 'segm' in metrics:
        check_unbroken(file)
    if objects.without_iscrowd and not own:
        raise UserError(
            f'{file.path}: {objects.without_iscrowd} of {len(objects)} annotations have no '
            f"iscrowd. Give them iscrowd 0, or set {key}.type='{JUDGES_BY_NAME}'."
        )


def _images(parts: Sequence[CocoPart]) -> dict[Name, str]:
    """Id to name of all images that are run.

    Raises:
        UserError: An id means two images.
    """
    found: dict[Name, str] = {}
    for part in parts:
        for image in part.file.images:
            if found.setdefault(image.number, image.name) != image.name:
                raise UserError(
                    f'{part.file.path}: image id {image.number!r} is {image.name}, but that of '
                    f'{found[image.number]} in another data set beside {part.key}.'
                )
    return found


def _check_images(file: AnnotationFile, run: Mapping[Name, str], part: CocoPart, key: str) -> None:
    judged = {image.number: image.name for image in file.images}
    remedy = f'Set {key}.ann_file to {part.file.path}.'
    for number, name in run.items():
        if number not in judged:
            raise UserError(
                f'{file.path} lacks image {number!r} ({name}), which {part.key} runs. {remedy}'
            )
        if judged[number] != name:
            raise UserError(
                f'{file.path} calls image {number!r} {judged[number]}, but {part.file.path}, which '
                f'{part.key} runs, calls it {name}. {remedy}'
            )
    if len(judged) > len(run):
        raise UserError(
            f'{file.path} has {len(judged)} images, but {part.key} runs {len(run)} of them: '
            f'objects of the others would count as missed. {remedy}'
        )
