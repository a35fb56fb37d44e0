"""A COCO annotation file, looked at before anything is trained on it."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rethink_det.errors import UserError


@dataclass(frozen=True)
class AnnotationFile:
    """What a COCO annotation file holds.

    Attributes:
        path: The file.
        images: Image number to file name.
        categories: Category number to name, in the file's order.
        annotations: Annotation number, image number and category number of every object; none
            in a file of images alone, as COCO's test-dev is.
    """

    path: Path
    images: Mapping[int, str]
    categories: Mapping[int, str]
    annotations: tuple[tuple[int, int, int], ...]

    @classmethod
    def read(cls, path: Path) -> 'AnnotationFile':
        """Read a file.

        Raises:
            UserError: It is no COCO annotation file.
        """
        try:
            content = json.loads(path.read_text())
            objects = content.get('annotations') or []
            return cls(
                path,
                {image['id']: image['file_name'] for image in content['images']},
                {category['id']: category['name'] for category in content['categories']},
                tuple((one['id'], one['image_id'], one['category_id']) for one in objects),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f'{path} is no COCO annotation file: {error!r}.') from None

    def check_images(self, folder: Path) -> None:
        """Refuse a folder that lacks an image.

        Raises:
            UserError: Names the first image that is not there.
        """
        there = set(os.listdir(folder))
        names = sorted(set(self.images.values()) - there)
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            raise UserError(
                f'{self.path} lists {len(self.images)} images, {len(missing)} of them are not in '
                f'{folder}: {missing[0]}, ...'
            )

    def check_references(self) -> None:
        """Refuse annotations of images or categories that the file does not list.

        mmdet leaves both kinds out without a word.

        Raises:
            UserError: Names the first such annotation.
        """
        for number, image, category in self.annotations:
            if image not in self.images:
                raise UserError(
                    f'{self.path}: annotation {number} belongs to image_id {image}, which is not '
                    'in its images.'
                )
            if category not in self.categories:
                raise UserError(
                    f'{self.path}: annotation {number} has category_id {category}, which is not '
                    f'in its categories ({_some(map(str, self.categories))}).'
                )

    def check_classes(self, classes: Iterable[str], heads: Mapping[str, int], key: str) -> None:
        """Refuse a head that has another number of classes than the file has.

        mmdet numbers those categories of the file that are among the data set's classes: a
        head of another number would learn classes that never come, or fail at the first that
        it does not have.

        Args:
            classes: Names of the data set's classes.
            heads: Config key to number of classes of every head that tells classes apart.
            key: The data set's key in the config.

        Raises:
            UserError: Names the head, both numbers and what to set.
        """
        wanted = set(classes)
        found = [name for name in self.categories.values() if name in wanted]
        place = next((place for place, number in heads.items() if number != len(found)), None)
        if place is None:
            return
        raise UserError(
            f"{place} is {heads[place]}, but {self.path} has {len(found)} of the data set's "
            f'{len(wanted)} classes; its {len(self.categories)} categories are '
            f'{_some(self.categories.values())}. Set num_classes of every head and {key}.'
            'metainfo=dict(classes=(...)) of every data set; train --data-root FOLDER does both.'
        )


def _some(names: Iterable[str], most: int = 6) -> str:
    names = list(names)
    return ', '.join(names[:most]) + (', ...' if len(names) > most else '') or 'none'
