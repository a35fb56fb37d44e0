"""COCO's data structures, filled from arrays instead of from a JSON file."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from faster_coco_eval import COCOeval_faster
from faster_coco_eval import mask as mask_tools
from mmdet.datasets.api_wrappers import COCO
from pycocotools.cocoeval import COCOeval

from rethink_det.errors import UserError


class FasterCocoEval(COCOeval_faster):
    """pycocotools' COCOeval with matching and accumulation in C++.

    The summary stays pycocotools' own: faster-coco-eval's reads the mAP at the largest
    number of detections, pycocotools' at 100, and they part where a detector gives
    more than 100 boxes of one class in an image.
    """

    summarize = COCOeval.summarize

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Comparing the few masks of a class in an image takes less time than starting threads.
        self.rle_iou_max_workers = 1


class CocoApi(COCO):
    """mmdet's COCO, except that it also accepts an empty list of predictions.

    An annotation without ``iscrowd`` is no crowd.
    """

    def createIndex(self) -> None:  # noqa: N802
        """Index what was read; see ``pycocotools.coco.COCO.createIndex``."""
        for annotation in self.dataset.get('annotations', ()):
            annotation.setdefault('iscrowd', 0)
        super().createIndex()

    def loadRes(self, resFile: list[dict]) -> COCO:  # noqa: N802, N803
        """The predictions as a COCO object; see ``pycocotools.coco.COCO.loadRes``.

        pycocotools looks into the first prediction and fails if there is none, mmdet
        then leaves all metrics out. A detector that predicts nothing has an AP, though: 0.
        """
        return super().loadRes(resFile) if len(resFile) else self._with(resFile)

    def _with(self, annotations: list[dict]) -> COCO:
        """These annotations on the same images."""
        other = COCO()
        other.dataset = {**self.dataset, 'annotations': annotations}
        other.createIndex()
        return other


class FasterCocoApi(CocoApi):
    """The same for predictions as :func:`predicted_annotations` gives them."""

    def loadRes(self, resFile: list[dict]) -> COCO:  # noqa: N802, N803
        """The predictions as a COCO object; nothing about them is left to compute.

        Raises:
            UserError: A prediction is for an image that the annotations do not have.
        """
        predictions = self._with(resFile)
        foreign = predictions.imgToAnns.keys() - self.imgs.keys()
        if foreign:
            raise UserError(
                f'There are predictions for image {min(foreign)}, which is not in the '
                'annotations: give the evaluator the ann_file of its dataloader.'
            )
        return predictions


def predicted_annotations(
    results: Sequence[dict], category_ids: Sequence[int], masks: bool = False
) -> list[dict]:
    """Predictions of many images as COCO annotations, in the order given.

    Args:
        results: Per image ``bboxes`` (n, 4) as x1, y1, x2, y2 in pixels, ``scores`` (n),
            ``labels`` (n) and, for masks, ``masks`` (n compressed RLEs) and, if masks have
            scores of their own, ``mask_scores``; ``img_id``, by default the position.
        category_ids: COCO's id of each label.
        masks: Whether to judge masks: size and score are then those of the mask.

    Returns:
        list: What mmdet writes into its JSON file and ``loadRes`` adds to it, per prediction.
    """
    score = 'mask_scores' if masks and 'mask_scores' in results[0] else 'scores'
    boxes = np.concatenate([result['bboxes'] for result in results]).astype(float)
    boxes[:, 2:] -= boxes[:, :2]
    labels = np.concatenate([result['labels'] for result in results]).astype(int)
    fields = {
        'image_id': [
            result.get('img_id', position)
            for position, result in enumerate(results)
            for _ in result['labels']
        ],
        'category_id': np.asarray(category_ids)[labels].tolist(),
        'bbox': boxes.tolist(),
        'score': np.concatenate([result[score] for result in results]).astype(float).tolist(),
        'area': (boxes[:, 2] * boxes[:, 3]).tolist(),
        'id': range(1, len(boxes) + 1),
    }
    if masks:
        fields['segmentation'] = [mask for result in results for mask in result['masks']]
        fields['area'] = mask_tools.area(fields['segmentation']).tolist() if len(boxes) else []
    rows = zip(*fields.values(), strict=True)
    return [dict(zip(fields, row, strict=True), iscrowd=0) for row in rows]
