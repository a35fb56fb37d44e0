"""MMEngine reads a local file as this package does: any form of it, and no code from it.

Its own reader knows MMEngine's form alone. Of a file that pickles more than tensors one line of
MMEngine refuses its own checkpoints and the other falls back to running what the file says.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch
from mmengine.dist import barrier, get_local_rank
from mmengine.runner import CheckpointLoader

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.convert import library_checkpoint
from rethink_det.training.hooks.plain_checkpoint import restore_histories


@CheckpointLoader.register_scheme(prefixes='', force=True)
def load_from_local(filename: str, map_location: Any = None) -> dict[str, Any]:
    """The content of a file, its weights under ``state_dict``, on the CPU.

    Args:
        filename: Of any form that :meth:`Checkpoint.read` knows; ``~`` is the home directory.
        map_location: Not needed: whatever takes tensors from here copies them.

    Raises:
        UserError: The file is missing, damaged, or needs code to load.
    """
    content = Checkpoint.read(os.path.expanduser(filename)).to_dict()
    restore_histories(content)
    return content


@CheckpointLoader.register_scheme(prefixes=('http://', 'https://'), force=True)
def load_from_http(filename: str, map_location: Any = None) -> dict[str, Any]:
    """The same of a URL, which is downloaded once."""
    return load_from_local(downloaded(filename))


@CheckpointLoader.register_scheme(prefixes=('timm:', 'torchvision:(?!//)'), force=True)
def load_from_library(filename: str, map_location: Any = None) -> dict[str, Any]:
    """The same of ``timm:NAME`` and ``torchvision:NAME``, in an ``init_cfg``, too."""
    return load_from_local(library_checkpoint(filename))


def downloaded(url: str) -> str:
    """The file of a URL where torch keeps its own, by the first process of each machine.

    Raises:
        OSError: It cannot be had, or not written.
    """
    file = Path(torch.hub.get_dir()) / 'checkpoints' / Path(urlparse(url).path).name
    if get_local_rank() == 0 and not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(file), progress=False)
    barrier()
    return str(file)
