"""What an evaluation of a run says of other test images: asked for before, read after."""

from pathlib import Path
from typing import Any

from mmengine.config import Config

from rethink_det.report.image_replicates import ImageReplicates
from rethink_det.study.attempts import Attempts


def keep_replicates(config: Config) -> None:
    """Let an evaluation leave in its folder what it would say of other test images, in place."""
    config.default_hooks.image_replicates = {'type': 'rethink_det.ImageReplicatesHook'}


def kept_replicates(folder: Path, attempt: Attempts) -> dict[str, Any]:
    """The fields of a result that say so; none if the evaluation could not tell."""
    found = attempt('replicates', lambda: ImageReplicates.read(folder))
    return vars(found) if found else {}
