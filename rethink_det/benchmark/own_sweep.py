"""One of mmdet's configs with its own backbone, pruned to half of all widths and brought back.

``python -m rethink_det.benchmark.own_sweep ENTRY FILE`` does it for an entry of the list
(:func:`entries`) and writes what came out, see :mod:`.sweep`.
"""

import logging
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.backbone import configured_architecture
from rethink_det.arms import ARMS, DETECTION
from rethink_det.benchmark.backbone_sweep import HEAD, PRUNER
from rethink_det.benchmark.config_sweep import versions, why_not, works
from rethink_det.benchmark.small_config import small_config
from rethink_det.benchmark.small_pictures import SIDE
from rethink_det.benchmark.sweep import Outcome, answer, listed
from rethink_det.detection import transfer_config
from rethink_det.detection.transfer.check_model import check_model
from rethink_det.layout import ARCHITECTURE
from rethink_det.pruning import prune_state
from rethink_det.registered import scope_of
from rethink_det.training.config import load_config
from rethink_det.transfer.backbone_settings import OF_THE_STAGES

LIST = Path(__file__).with_name('mmdet_backbones.txt')


def entries() -> dict[str, Any]:
    """The list, a config a line: one of each kind of backbone that mmdet's configs have."""
    return listed(LIST)


def ask(entry: str) -> Outcome:
    """What comes of one config.

    Args:
        entry: Its file, below the folder of mmdet's configs.

    Returns:
        ``plain`` and ``ours``: why the detector with its own backbone, whole and pruned, did not
        train a step and evaluate, ``None`` where it did; ``left``: the share of the backbone's
        multiply-adds; ``said``: the pruner's warnings; ``changes``; ``versions``.
    """
    outcome: dict[str, Any] = {'said': [], 'changes': [], 'versions': versions()}
    with tempfile.TemporaryDirectory() as folder:
        small = small_config(load_config(f'mmdet::{entry}'), Path(folder) / 'shapes')
        small.work_dir = folder
        outcome['plain'] = why_not(lambda: works(small))
        outcome['ours'] = why_not(lambda: works(_pruned(small, outcome)))
    return outcome


def _pruned(config: Config, outcome: dict[str, Any]) -> Config:
    whole = own_architecture(config)
    torch.manual_seed(0)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter('always')
        pruned = prune_state(whole.build_network().state_dict(), PRUNER, whole).architecture
    outcome['said'] = [str(one.message) for one in said if 'whole' in str(one.message)]
    outcome['left'] = pruned.cost().macs / whole.cost().macs
    file = Path(config.work_dir) / ARCHITECTURE
    pruned.shape().save(file)
    adapted = transfer_config(config, ARMS.from_nothing(DETECTION), file)
    outcome['changes'] = [*map(str, adapted.changes)]
    check_model(adapted.config)
    return adapted.config


def own_architecture(config: Config) -> PrunedArchitecture:
    """What a detector's own backbone is; all of it, if its last stage is the detector's head.

    Args:
        config: Of the detector, or of one that has it within (``model.detector``).
    """
    model: Mapping[str, Any] = config.model.get('detector') or config.model
    backbone = dict(model['backbone'])
    if (model.get('roi_head') or {}).get('shared_head'):
        for key in OF_THE_STAGES:
            backbone.pop(key, None)
    with scope_of(config, 'mmdet'):
        return configured_architecture(backbone, HEAD, (3, SIDE, SIDE))


if __name__ == '__main__':
    logging.disable(logging.WARNING)
    warnings.simplefilter('ignore')
    answer(ask, sys.argv[1:])
