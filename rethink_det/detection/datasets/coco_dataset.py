"""COCO annotations whose categories are known by their names, in whatever order a file has them."""

from collections.abc import Sequence

from mmdet.datasets import CocoDataset as MMDetCocoDataset
from mmdet.datasets.api_wrappers import COCO

from rethink_det.registry import DATASETS


class CategoriesByName(COCO):
    """mmdet's COCO, except that categories come in the order in which they are asked for."""

    def get_cat_ids(
        self,
        cat_names: str | Sequence[str] = (),
        sup_names: str | Sequence[str] = (),
        cat_ids: int | Sequence[int] = (),
    ) -> list[int]:
        """Ids of the categories with these names; see ``pycocotools.coco.COCO.getCatIds``."""
        asked = [cat_names] if isinstance(cat_names, str) else [*cat_names]
        found = super().get_cat_ids(asked, sup_names, cat_ids)
        places = {name: place for place, name in enumerate(asked)}
        return sorted(found, key=lambda number: places.get(self.cats[number]['name'], 0))


@DATASETS.register_module()
class CocoDataset(MMDetCocoDataset):
    """mmdet's CocoDataset, except that the order of the categories in the file does not matter.

    mmdet numbers classes by that order, so that in a file of another order than
    ``metainfo.classes`` every object is called something else. Here the number of a class is its
    place in ``metainfo.classes``. For files of that order both are the same. Use as
    ``type='rethink_det.CocoDataset'``, and judge by ``type='rethink_det.CocoMetric'``.
    """

    COCOAPI = CategoriesByName
