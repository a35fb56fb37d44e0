"""What ``rethink-det baseline`` does."""

import argparse
import os
from pathlib import Path
from typing import Any

from rethink_det.arms import ARMS, CLASSIFICATION
from rethink_det.cli.study import carry_out
from rethink_det.layout import WORK_DIRS
from rethink_det.report.run_graph import Asked
from rethink_det.study.config import Study
from rethink_det.training.config import find_config


def run(options: argparse.Namespace) -> int:
    """Plan, execute, report; 1 if a run failed."""
    said = said_by(options)
    study = Study.from_parts(said, Path(options.config))
    work_dir = Path(options.work_dir or Path(WORK_DIRS) / study.name)
    asked = Asked(options.config, parts=said, cwd=os.path.relpath('.', work_dir))
    return carry_out(study, options, work_dir, asked)


def said_by(options: argparse.Namespace) -> dict[str, Any]:
    """What would stand in the config of the study that is asked for."""
    config = find_config(options.config)
    stem = Path(options.checkpoint).stem
    tuned = ARMS.baseline(CLASSIFICATION).name
    plan: dict[str, Any] = {
        'config': config if '::' in config else str(Path(config).resolve()),
        'pruned': os.path.abspath(options.checkpoint),
        'untuned': options.untuned,
        'ema': options.ema,
        'arms': [tuned, *(arm for arm in options.arms if arm != tuned)],
        'epochs': options.epochs,
        'options': options.cfg_options,
        'arm_settings': options.arm_settings,
    }
    return {
        'name': f'{stem}_baseline',
        'title': f'{Path(options.checkpoint).name} against its own shape from scratch',
        'seeds': list(options.seeds),
        'classification': plan,
    }
