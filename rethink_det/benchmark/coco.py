"""What COCO evaluation costs: the whole metric, beside mmdet's own on pycocotools."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
from mmengine.logging import MMLogger
from pycocotools import mask as mask_tools

from rethink_det.benchmark.scenes import NAMES, PREDICTIONS, scenes
from rethink_det.benchmark.timing import compare
from rethink_det.detection.evaluation.rle import encode_masks
from rethink_det.files import save_json
from rethink_det.registered import build
from rethink_det.registry import METRICS

ENCODED = 20
"""Images whose masks are encoded at most: they take 25 MB each."""


def against_mmdet(images: int, kind: str, rounds: int) -> None:
    """``rethink_det.CocoMetric`` beside mmdet's: times, then what they measured.

    Timed is all that a metric does: ``process`` of what a model gives, image by image, and
    ``evaluate``. Neither counts the model or reading the annotations. It is processor time, of all
    threads, that is counted, which leaves out what else a machine does. Masks are encoded
    beforehand, see :func:`encoding`.

    Args:
        images: How many.
        kind: ``'bbox'`` or ``'segm'``, masks of the images' size.
        rounds: Pairs of timings.
    """
    print(f'coco: {kind}, {images} images x {PREDICTIONS} predictions, process + evaluate')
    truth, samples = scenes(images, with_masks=kind == 'segm', encoded=True)
    with tempfile.TemporaryDirectory() as folder, _quiet():
        file = Path(folder) / 'annotations.json'
        save_json(truth, file)
        ours, peer = (
            _Evaluation(f'{package}.CocoMetric', file, kind, samples)
            for package in ('rethink_det', 'mmdet')
        )
        compare({'ours': ours, 'mmdet': peer}, rounds, clock=time.process_time)
    print(f'  ours: {ours}\n  mmdet: {peer}')


def encoding(images: int, rounds: int) -> None:
    """Masks as a model gives them to RLE, image by image: by ours, and as mmdet does it.

    Args:
        images: How many, of :data:`.scenes.PREDICTIONS` masks each.
        rounds: Pairs of timings.
    """
    print(f'coco: masks to RLE, {images} images x {PREDICTIONS} masks')
    _, samples = scenes(images, with_masks=True)
    found = [one['pred_instances'] for one in samples]
    pairs = [(one['masks'].numpy(), one['bboxes'].numpy()) for one in found]
    compare(
        {
            'ours': lambda: [encode_masks(*pair) for pair in pairs],
            'mmdet': lambda: [_as_mmdet(mask) for masks, _ in pairs for mask in masks],
        },
        rounds,
    )


def _as_mmdet(mask: np.ndarray) -> dict:
    """Its ``encode_mask_results``, which only detection may import."""
    return mask_tools.encode(np.array(mask[:, :, None], np.uint8, order='F'))[0]


class _Evaluation:
    """Evaluates when called; its text is what that measured."""

    def __init__(self, metric: str, annotations: Path, kind: str, samples: list[dict]) -> None:
        with redirect_stdout(StringIO()):
            self.metric = build(
                METRICS, {'type': metric, 'ann_file': str(annotations), 'metric': kind}
            )
        self.metric.dataset_meta = {'classes': NAMES}
        self.samples = samples
        self.metrics: dict[str, float] = {}

    def __call__(self) -> None:
        with redirect_stdout(StringIO()):
            for sample in self.samples:
                self.metric.process({}, [sample])
            self.metrics = self.metric.evaluate(len(self.samples))

    def __str__(self) -> str:
        return ', '.join(f'{name} {value}' for name, value in self.metrics.items())


@contextmanager
def _quiet() -> Iterator[None]:
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel('ERROR')
    try:
        yield
    finally:
        logger.setLevel(level)
