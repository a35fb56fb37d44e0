"""Resuming a run whose folder was moved or copied: nothing outside of its own folder is followed.

MMEngine notes in a checkpoint where the best and the last one lie, with the folders of the
machine that wrote it, and removes what lies there once there is a better one: of a copied work
dir the original's, of a made-up checkpoint any file or folder.
"""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import Runner

from rethink_det.architecture.checkpoint import META

_FILES = ('best_ckpt', 'last_ckpt')
"""How the entries begin that are paths."""
_KEPT = 'keep_ckpt_ids'


class OwnFolderHook(Hook):
    """Of what a resumed checkpoint says of files, leave those of the run's own folder.

    It takes out the config in it as well, which MMEngine would run as a program.
    """

    priority = 'HIGHEST'

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Change what was read, before MMEngine looks at it."""
        meta, hub = checkpoint.get(META), checkpoint.get('message_hub')
        if isinstance(meta, MutableMapping):
            meta.pop('config', None)
        info = hub.get('runtime_info') if isinstance(hub, MutableMapping) else None
        if isinstance(info, MutableMapping):
            _keep_own(info, _folder(runner))


def _folder(runner: Runner) -> Path:
    """Where the run has its checkpoints."""
    work_dir = Path(runner.work_dir)
    hooks = (hook for hook in runner.hooks if isinstance(hook, CheckpointHook))
    out_dir = next((str(hook.out_dir) for hook in hooks if hook.out_dir), runner.work_dir)
    return work_dir if Path(out_dir) == work_dir else Path(out_dir) / work_dir.name


def _keep_own(info: MutableMapping[str, Any], folder: Path) -> None:
    for key in [key for key in info if str(key).startswith(_FILES)]:
        own = folder / Path(str(info.pop(key))).name
        if own.is_file():
            info[key] = str(own)
    kept = info.pop(_KEPT, None)
    if isinstance(kept, (list, tuple)) and all(type(step) is int for step in kept):
        info[_KEPT] = list(kept)
