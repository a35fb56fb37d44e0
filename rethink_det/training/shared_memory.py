"""Data loaders' processes hand their batches over in shared memory, which may be too small.

A container has 64 MB of it unless it is told otherwise. Where the batches do not fit, a loader
dies, or waits for ever. Its images are then loaded in the training's own process.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

from mmengine.config import Config

PLACE = '/dev/shm'
LARGE = 1333 * 800 * 3
"""Bytes of an image where the config does not tell its size: of a detector's, as COCO's are."""
SLACK = 2
"""What a batch takes beyond its images: boxes, masks, the next one while one is read."""
_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def free_shared_memory(place: str = PLACE) -> int | None:
    """Bytes; None where the system has no such folder, and so no such limit."""
    return shutil.disk_usage(place).free if os.path.isdir(place) else None


def fit_loaders(config: Config, free: int | None) -> list[str]:
    """Let those loaders work in the training's own process whose batches do not fit.

    Args:
        config: Its dataloaders are changed in place.
        free: Bytes of shared memory; None: no limit.

    Returns:
        What is to be said, a line a loader.
    """
    told = []
    for name in _LOADERS:
        loader = config.get(name) or {}
        needed = _needed(loader, _image_bytes(config, loader))
        if free is not None and needed > free:
            workers = loader['num_workers']
            loader.update(num_workers=0, persistent_workers=False)
            loader.pop('prefetch_factor', None)
            told.append(
                f'{name}: its {workers} workers need about {_mb(needed)} MB of shared memory, and '
                f'{PLACE} has {_mb(free)} MB free: images are loaded in this process. In a '
                'container, give it more: docker run --shm-size=8g.'
            )
    return told


def _needed(loader: Mapping[str, Any], image: int) -> int:
    workers = loader.get('num_workers') or 0
    batch = loader.get('batch_size') or (loader.get('batch_sampler') or {}).get('batch_size') or 1
    return SLACK * workers * (loader.get('prefetch_factor') or 2) * batch * image


def _image_bytes(config: Config, loader: Mapping[str, Any]) -> int:
    """Of one image as bytes: of a classifier's by its input, of a detector's by its ``scale``."""
    model = config.get('model') or {}
    if model.get('input_shape'):
        return prod(model['input_shape'])
    sizes = [3 * prod(scale) for scale in _scales(loader.get('dataset') or {})]
    return max(sizes, default=LARGE)


def _scales(settings: Any) -> Iterator[tuple[int, ...]]:
    """Width and height wherever a data set's pipeline names them."""
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            if key in ('scale', 'scales', 'img_scale'):
                yield from _sizes(value)
            else:
                yield from _scales(value)
    elif isinstance(settings, (list, tuple)):
        for value in settings:
            yield from _scales(value)


def _sizes(value: Any) -> Iterator[tuple[int, ...]]:
    if isinstance(value, (list, tuple)) and all(isinstance(one, int) for one in value):
        yield tuple(value[:2])
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _sizes(one)


def _mb(number: int) -> str:
    return f'{number / 1e6:,.0f}'
