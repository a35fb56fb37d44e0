"""One run in one file: the checkpoint without its training state, its config, its card."""

import tempfile
import zipfile
from dataclasses import replace
from os import PathLike
from pathlib import Path

from mmengine.config import Config

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.detection.load_detector import self_contained
from rethink_det.detection.prediction.trained_files import find_trained
from rethink_det.errors import UserError
from rethink_det.files import replacing
from rethink_det.layout import CARD, CONFIG
from rethink_det.report.model_card import model_card
from rethink_det.training.config import load_config
from rethink_det.training.written_config import write_config

WEIGHTS = 'model.pth'
TRAINING = ('optimizer', 'param_schedulers', 'message_hub')
"""What a checkpoint holds to be trained on, and nobody else reads."""


def pack(
    place: str | PathLike, out: str | PathLike, config: str | PathLike | None = None
) -> list[str]:
    """Write a zip file that needs nothing else: unpacked, its folder is a work dir.

    The config names no checkpoint and no architecture in another file.

    Args:
        place: The checkpoint, or the work dir of its training.
        out: The zip file; written whole or not at all.
        config: That trained it, if it does not lie beside the checkpoint.

    Returns:
        What is in it.

    Raises:
        UserError: There is no checkpoint or no config, or the config names its backbone's
            architecture by a file and the checkpoint does not say what it is.
    """
    files = find_trained(place, config)
    checkpoint = Checkpoint.read(files.checkpoint)
    settings = self_contained(load_config(str(files.config)), checkpoint)
    _check_complete(settings, files.config)
    settings.load_from, settings.resume = None, False
    others = {name: value for name, value in checkpoint.others.items() if name not in TRAINING}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / WEIGHTS
        replace(checkpoint, others=others).write(path)
        write_config(settings, Path(folder) / CONFIG)
        (Path(folder) / CARD).write_text(model_card(Checkpoint.read(path)), encoding='utf-8')
        with replacing(out) as file, zipfile.ZipFile(file, 'w') as packed:
            for name in (WEIGHTS, CONFIG, CARD):
                packed.write(Path(folder) / name, name)
    return [WEIGHTS, CONFIG, CARD]


def _check_complete(config: Config, path: Path) -> None:
    backbone = (config.get('model') or {}).get('backbone') or {}
    named = backbone.get('architecture')
    if isinstance(named, str) and Path(named).suffix:
        raise UserError(
            f'{path}: model.backbone.architecture is the file {named}, and the checkpoint does not '
            'describe its architecture: it would be missing elsewhere.'
        )
