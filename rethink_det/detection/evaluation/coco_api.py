"""COCO's data structures with numbers in place of ids, whatever the ids of a file are.

pycocotools computes with ids: an object with the id 0 is never found, a text is no number, large
ones fall together. So annotations are numbered when they are read. What comes in by the names of
the file, predictions, is numbered as well, and what goes out has the names again.
"""

import logging
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from mmdet.datasets.api_wrappers import COCO
from mmengine.logging import print_log

from rethink_det.detection.datasets.coco_dataset import CategoriesByName
from rethink_det.detection.datasets.ids import Name, is_id, numbered
from rethink_det.detection.evaluation.detections import Detections, Table
from rethink_det.errors import UserError


class CocoApi(CategoriesByName):
    """mmdet's COCO, except that any ids will do and that nothing may have been predicted.

    Inside, images and categories are numbered in the order of their ids, objects in that of the
    file. An annotation without ``iscrowd`` is no crowd.

    Attributes:
        image_numbers: The number of each image by its id in the file.
        category_numbers: That of each category.
        image_names: Back: the id of image 1, 2, ...
        category_names: The id of category 1, 2, ...

    Raises:
        UserError: An id is no number or text, or two images or categories share one.
    """

    image_numbers: Mapping[Name, int]
    category_numbers: Mapping[Name, int]
    image_names: Sequence[Name]
    category_names: Sequence[Name]
    dataset: dict[str, Any]

    def __init__(self, annotation_file: str | None = None) -> None:
        self.source = annotation_file or 'the annotations'
        super().__init__(annotation_file)

    def createIndex(self) -> None:  # noqa: N802
        """Number what was read, and index it; see ``pycocotools.coco.COCO.createIndex``."""
        content = self.dataset
        images, categories = content.get('images', ()), content.get('categories', ())
        self.image_numbers = self._numbers('images', images)
        self.category_numbers = self._numbers('categories', categories)
        self.image_names, self.category_names = [*self.image_numbers], [*self.category_numbers]
        self.dataset = {
            **content,
            'images': [{**one, 'id': self.image_numbers[one['id']]} for one in images],
            'categories': [{**one, 'id': self.category_numbers[one['id']]} for one in categories],
            'annotations': self._objects(content.get('annotations') or ()),
        }
        super().createIndex()

    def _numbers(self, kind: str, rows: Sequence[Mapping]) -> Mapping[Name, int]:
        names = [row.get('id') for row in rows]
        wrong = [name for name in names if not is_id(name)]
        if wrong:
            raise UserError(
                f'{self.source}: {len(wrong)} of {len(names)} {kind} have no id that can be used, '
                f'the first is {wrong[0]!r}. It must be a number or a text.'
            )
        numbers = numbered(names)
        if len(numbers) < len(names):
            twice = next(name for place, name in enumerate(names) if name in names[:place])
            raise UserError(f'{self.source}: several {kind} have the id {twice!r}.')
        return numbers

    def _objects(self, rows: Sequence[Mapping]) -> list[dict]:
        """With numbers; those of images or categories that are not listed count nowhere."""
        images, categories = self.image_numbers, self.category_numbers
        there = [
            row
            for row in rows
            if _get(images, row.get('image_id')) and _get(categories, row.get('category_id'))
        ]
        if len(there) < len(rows):
            print_log(
                f'{self.source}: of {len(rows)} annotations {len(rows) - len(there)} are left out: '
                'their image_id or category_id is not listed.',
                'current',
                logging.WARNING,
            )
        return [
            {
                **row,
                'name': row.get('id'),
                'id': number,
                'image_id': images[row['image_id']],
                'category_id': categories[row['category_id']],
                'iscrowd': self._crowd(row),
            }
            for number, row in enumerate(there, 1)
        ]

    def _crowd(self, row: Mapping) -> int:
        value = row.get('iscrowd')
        if value not in (None, 0, 1):
            raise UserError(
                f'{self.source}: annotation {row.get("id")!r} has iscrowd {value!r}; it must be '
                '0 or 1.'
            )
        return int(value or 0)

    def loadRes(self, resFile: list[dict]) -> COCO:  # noqa: N802, N803
        """The predictions as a COCO object; see ``pycocotools.coco.COCO.loadRes``.

        pycocotools looks into the first prediction and fails if there is none, mmdet
        then leaves all metrics out. A detector that predicts nothing has an AP, though: 0.

        Args:
            resFile: Each with the ``image_id`` and ``category_id`` of the file.

        Raises:
            UserError: One is of an image or a category that the annotations do not have.
        """
        images = self.images_called(one['image_id'] for one in resFile)
        categories = self.categories_called(one['category_id'] for one in resFile)
        numbers = zip(resFile, images, categories, strict=True)
        rows = [{**one, 'image_id': i, 'category_id': c} for one, i, c in numbers]
        if rows:
            return super().loadRes(rows)
        nothing = COCO()
        nothing.dataset = {**self.dataset, 'annotations': []}
        nothing.createIndex()
        return nothing

    def images_called(self, names: Iterable[Name]) -> list[int]:
        """Numbers of images by their ids.

        Raises:
            UserError: The annotations do not have one.
        """
        return _looked_up(self.image_numbers, names, 'image')

    def categories_called(self, names: Iterable[Name]) -> list[int]:
        """Numbers of categories by their ids.

        Raises:
            UserError: The annotations do not have one.
        """
        return _looked_up(self.category_numbers, names, 'category')


class FasterCocoApi(CocoApi):
    """The same for predictions in columns."""

    def loadRes(self, resFile: list[Table]) -> Detections:  # noqa: N802, N803
        """The predictions with numbers in place of ids.

        Args:
            resFile: A single table. It is in a list because mmdet takes ``bbox`` out of every
                prediction whose mask is to be judged.

        Raises:
            UserError: One is of an image or a category that the annotations do not have, or not
                finite.
        """
        (table,) = resFile
        return Detections.of(
            np.array(self.images_called(table['image_id']), int),
            np.array(self.categories_called(table['category_id']), int),
            table,
        )


def _get(numbers: Mapping[Name, int], name: object) -> int | None:
    return numbers.get(name) if isinstance(name, Hashable) else None


def _looked_up(numbers: Mapping[Name, int], names: Iterable[Name], kind: str) -> list[int]:
    try:
        return [numbers[name] for name in names]
    except (KeyError, TypeError) as error:
        raise UserError(
            f'There are predictions for {kind} {error.args[0]!r}, which is not in the '
            'annotations: give the evaluator the ann_file of its dataloader.'
        ) from None
