"""Checkpoints for tests: as this package writes them, with as much provenance as a test needs."""

import lzma
from dataclasses import replace
from pathlib import Path

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.provenance import Parent, Provenance

LEGACY = Path(__file__).parent / 'architecture' / 'legacy'


def checkpoint(state, architecture=None, arm=None, parent_arm=None, **fields) -> Checkpoint:
    """A checkpoint of these weights; by default it says nothing of where they come from."""
    parent = Parent('parent.pth', parent_arm, '0' * 16, len(state)) if parent_arm else None
    entries = dict(
        state_dict=state,
        architecture=architecture and architecture.to_dict(),
        provenance=replace(Provenance.unknown(), arm=arm, parent=parent),
        input_convention=None,
    )
    return Checkpoint(**{**entries, **fields})


def unpack_legacy(name: str, folder: Path) -> Path:
    """A file that the version before 0.2 wrote, see ``tests/architecture/legacy``."""
    path = folder / f'{name}.pth'
    path.write_bytes(lzma.decompress((LEGACY / f'{name}.pth.xz').read_bytes()))
    return path


def of_arm(path, arm: str, parent_arm: str | None = None) -> Path:
    """Let a file say that its weights are of an arm, or of a step that is none."""
    saved = Checkpoint.read(path)
    parent = Parent('parent.pth', parent_arm, '0' * 16, 1) if parent_arm else None
    replace(saved, provenance=replace(saved.provenance, arm=arm, parent=parent)).write(path)
    return Path(path)
