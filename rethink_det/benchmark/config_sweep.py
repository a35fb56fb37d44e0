"""One of mmdet's configs as it is, and with a pruned backbone: a step and an evaluation of each.

``python -m rethink_det.benchmark.config_sweep ENTRY FILE`` does it for an entry of the list
(:func:`entries`) and writes what came out, see :mod:`.sweep`.
"""

import contextlib
import logging
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

import rethink_det
from rethink_det.arms import ARMS, DETECTION
from rethink_det.benchmark.small_config import small_config
from rethink_det.benchmark.sweep import Outcome, answer, listed
from rethink_det.detection import transfer_config
from rethink_det.detection.transfer.check_model import check_model
from rethink_det.errors import UserError, in_one_line
from rethink_det.training.config import load_config
from rethink_det.training.rehearsal import rehearse

BACKBONE = 'resnet50-thinet-50'
"""The pruned network: ThiNet's ResNet-50 with half of the filters of its inner layers."""

LIST = Path(__file__).with_name('mmdet_configs.txt')
_DISTRIBUTIONS = ('mmdet', 'onedl-mmdetection', 'mmcv', 'onedl-mmcv', 'mmcv-lite')


def entries() -> dict[str, Any]:
    """The list, a config a line: name to name, as every entry is its own description.

    At least one of each folder of mmdet's configs, the smallest that is usual there.
    """
    return listed(LIST)


def ask(entry: str) -> Outcome:
    """What comes of one config.

    Args:
        entry: Its file, below the folder of mmdet's configs.

    Returns:
        ``plain`` and ``ours``: why mmdet's own detector, and the one with the pruned backbone, did
        not train a step and evaluate, ``None`` where it did; ``changes``: what else was adapted, a
        line each; ``versions``.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            config = load_config(f'mmdet::{entry}')
            small = small_config(config, Path(folder) / 'shapes')
        except Exception as error:  # a folder may hold parts of configs alone
            why = in_one_line(error)
            return {'plain': why, 'ours': why, 'changes': [], 'versions': versions()}
        small.work_dir = folder
        changes: list[str] = []
        return {
            'plain': why_not(lambda: works(small)),
            'ours': why_not(lambda: works(_pruned(small, changes))),
            'changes': changes,
            'versions': versions(),
        }


def _pruned(config: Config, changes: list[str]) -> Config:
    adapted = transfer_config(config, ARMS.from_nothing(DETECTION), BACKBONE)
    changes += map(str, adapted.changes)
    check_model(adapted.config)
    return adapted.config


def works(config: Config) -> None:
    """A step, whose losses are finite, and an evaluation."""
    torch.manual_seed(0)
    rehearse(config)


def why_not(attempt: Callable[[], None]) -> str | None:
    """Why something fails, in a line; ``None`` if it does not."""
    try:
        attempt()
    except UserError as error:
        return f'refused: {in_one_line(error)}'
    except Exception as error:  # whatever a detector raises
        return f'{type(error).__name__}: {in_one_line(error)}'[:300]
    return None


def versions() -> Mapping[str, str]:
    """The day, and the versions of what takes part."""
    found = {'date': time.strftime('%Y-%m-%d'), 'rethink_det': rethink_det.__version__}
    found['torch'] = torch.__version__
    for name in _DISTRIBUTIONS:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


if __name__ == '__main__':
    logging.disable(logging.WARNING)
    warnings.simplefilter('ignore')
    answer(ask, sys.argv[1:])
