"""What looking at data before a training costs, on a data set as large as COCO's val2017."""

import tempfile
import time
from pathlib import Path

import numpy as np
from mmengine.config import Config
from PIL import Image

from rethink_det.benchmark.scenes import HEIGHT, NAMES, WIDTH, scenes
from rethink_det.benchmark.timing import compare
from rethink_det.datasets.picture_files import forget_headers
from rethink_det.detection.datasets.annotation_file import forget
from rethink_det.detection.datasets.check_data import check_data
from rethink_det.files import save_json

SPLITS = ('train', 'val')
"""Both are of the images: that no picture is in two splits is part of what is checked."""


def of_coco(images: int, rounds: int) -> None:
    """All that ``train`` checks of two COCO files and their pictures, without and with its cache.

    Pictures are JPEGs of noise in squares, 640 x 480 pixels, each another, and in the file system's
    cache. It is processor time that is counted, which leaves out what else a machine does.

    Args:
        images: Of each split.
        rounds: Pairs of timings.

    Raises:
        UserError: There is no image, or no round.
    """
    print(f'check: {" and ".join(SPLITS)} of {images} images each')
    with tempfile.TemporaryDirectory() as folder:
        config = _written(Path(folder), images)

        def anew() -> None:
            forget()
            forget_headers()
            check_data(config)

        again = {'as read before': lambda: check_data(config), 'first time': anew}
        compare(again, rounds, clock=time.process_time)


def _written(root: Path, images: int) -> Config:
    """Config of the two splits, which are written."""
    rng = np.random.default_rng(0)
    started = time.perf_counter()
    truth, _ = scenes(images, with_masks=False)
    loaders = {}
    for split in SPLITS:
        (root / split).mkdir()
        for image in truth['images']:
            image['file_name'] = f'{image["id"]}.jpg'
            squares = rng.integers(0, 256, (HEIGHT // 40, WIDTH // 40, 3), np.uint8)
            picture = Image.fromarray(squares).resize((WIDTH, HEIGHT), Image.Resampling.NEAREST)
            picture.save(root / split / image['file_name'])
        save_json(truth, root / f'{split}.json')
        loaders[f'{split}_dataloader'] = {
            'dataset': {
                'type': 'mmdet.CocoDataset',
                'data_root': str(root),
                'ann_file': f'{split}.json',
                'data_prefix': {'img': f'{split}/'},
                'metainfo': {'classes': NAMES},
                'test_mode': split != 'train',
                'pipeline': [],
            }
        }
    print(f'  written in {time.perf_counter() - started:.0f} s')
    return Config(loaders)
