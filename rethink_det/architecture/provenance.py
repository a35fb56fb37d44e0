"""Where the weights of a checkpoint come from.

A file says so in ``meta['provenance']``, in plain values. Whoever writes one gives every field; a
field that does not apply is None. Older and foreign files may say less, or nothing.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from mmengine.config import Config

from rethink_det.architecture.frozen import freeze
from rethink_det.errors import UserError
from rethink_det.files import plain
from rethink_det.packages import compiled_mmcv

PACKAGES = (
    'rethink-det', 'torch', 'torchvision', 'torch-pruning',
    'mmengine', 'mmdet', 'mmcv-lite', 'mmcv',
    'onedl-mmengine', 'onedl-mmdetection', 'onedl-mmcv',
)  # fmt: skip
_KINDS: dict[str, type | tuple[type, ...]] = {
    'arm': str, 'seed': int, 'data': str, 'versions': Mapping, 'config_digest': str,
    'parent': str, 'parent_arm': str, 'parent_digest': str, 'tensors': int,
    'pruner': Mapping, 'inferred': (list, tuple),
}  # fmt: skip
"""What a file has, and of which kind, unless it is None."""
_OLDER = {'parent': 'source', 'parent_digest': 'source_digest'}
"""What converted files called these before."""


@dataclass(frozen=True)
class Parent:
    """The weights that others were made from.

    Attributes:
        name: Of their file, without its folder; None if only their digest is known.
        arm: Their own arm or step; None if it is not known.
        digest: Of the tensors that were taken, see :func:`~.checkpoint.digest`; None if MMEngine
            took them, which says nothing of them.
        tensors: How many were taken; None likewise.
    """

    name: str | None
    arm: str | None
    digest: str | None
    tensors: int | None


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where weights come from; None for whatever does not apply or is not known.

    Attributes:
        arm: Name of an arm (:data:`rethink_det.arms.ARMS`), or of the step that is none
            (:data:`rethink_det.arms.STEPS`).
        seed: Of the training that they come from.
        data: What they were trained on, in words.
        versions: Of the packages that wrote the file.
        config_digest: Of the config that trained or pruned them, see :func:`config_digest`.
        parent: The weights that they were made from; None if they were drawn at random.
        pruner: The config of the pruner that cut the network.
        inferred: Of a converted file: what was not said but inferred, a readable line each.

    Example:
        >>> from rethink_det import Checkpoint, Provenance
        >>> provenance = Checkpoint.read('trained.pth').provenance
        >>> provenance.arm, provenance.seed
        ('unpruned', 1)
        >>> Provenance.from_dict(provenance.to_dict()) == provenance
        True
    """

    arm: str | None
    seed: int | None
    data: str | None
    versions: Mapping[str, str] | None
    config_digest: str | None
    parent: Parent | None
    pruner: Mapping[str, Any] | None
    inferred: tuple[str, ...] | None

    def __post_init__(self) -> None:
        for name in ('versions', 'pruner', 'inferred'):
            object.__setattr__(self, name, freeze(getattr(self, name)))

    @classmethod
    def unknown(cls) -> 'Provenance':
        """That of a file that says nothing."""
        return cls(**dict.fromkeys(field.name for field in fields(cls)))

    @classmethod
    def from_dict(
        cls, entry: Mapping | None, path: str | os.PathLike = 'checkpoint'
    ) -> 'Provenance':
        """What ``meta['provenance']`` says; what an older file leaves out is None.

        Args:
            entry: The entry; None for a file that has none.
            path: The file, for messages.

        Raises:
            UserError: The entry makes no sense; names the key.
        """
        values = _checked({} if entry is None else entry, path)
        parent = Parent(*(values.pop(key) for key in _PARENT))
        nobody = parent == Parent(None, None, None, None)
        return cls(**values, parent=None if nobody else parent)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for ``meta['provenance']``, every key, None where nothing applies."""
        parent = self.parent or Parent(None, None, None, None)
        return {
            'arm': self.arm,
            'seed': self.seed,
            'data': self.data,
            'versions': plain(self.versions),
            'config_digest': self.config_digest,
            'parent': parent.name,
            'parent_arm': parent.arm,
            'parent_digest': parent.digest,
            'tensors': parent.tensors,
            'pruner': plain(self.pruner),
            'inferred': plain(self.inferred),
        }


_PARENT = ('parent', 'parent_arm', 'parent_digest', 'tensors')


def _checked(entry: Mapping, path: str | os.PathLike) -> dict[str, Any]:
    """All keys of an entry, each None or of its kind."""
    if not isinstance(entry, Mapping):
        raise UserError(f"{path}: meta['provenance'] is a {type(entry).__name__}, expected a dict.")
    values = {key: entry.get(key, entry.get(_OLDER.get(key))) for key in _KINDS}
    for key, value in values.items():
        if value is not None and not isinstance(value, _KINDS[key]):
            raise UserError(f"{path}: meta['provenance'][{key!r}] makes no sense: {value!r}.")
    return values


def file_name(source: str | os.PathLike) -> str:
    """A file without its folder, which is this machine's; other sources (URLs) as they are."""
    text = os.fspath(source)
    return text if '://' in text else os.path.basename(text)


def config_digest(config: Config) -> str:
    """SHA-256 over the config's text, but for where and under what name it is shown; 16 digits."""
    left_out = ['work_dir', 'resume', 'experiment_name', 'visualizer']
    if config.get('resume'):
        left_out.append('load_from')  # where it was interrupted makes no other run of it
    content = {k: v for k, v in config.to_dict().items() if k not in left_out}
    return hashlib.sha256(Config(content).pretty_text.encode()).hexdigest()[:16]


def versions() -> dict[str, str]:
    """Installed versions of the packages that a result depends on."""
    installed = {}
    for package in PACKAGES:
        try:
            installed[package] = version(package)
        except PackageNotFoundError:
            continue
    return installed | compiled_mmcv()
