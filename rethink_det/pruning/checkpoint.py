"""What pruning leaves on disk: one file that rebuilds the network and says where it is from."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path

from torch import Tensor

from rethink_det.architecture import masks as masking
from rethink_det.architecture.checkpoint import (
    TICKET,
    digest,
    load_checkpoint,
    save_checkpoint,
    state_dict_of,
)
from rethink_det.architecture.input_convention import KEY, InputConvention
from rethink_det.arms import AFTER_PRUNING
from rethink_det.layout import INITIAL
from rethink_det.pruning.pruner import PruneResult


def pruned_checkpoint(
    result: PruneResult,
    provenance: Mapping,
    initial: Mapping[str, Tensor] | None = None,
    convention: InputConvention | None = None,
) -> dict:
    """The content of a pruned checkpoint.

    Args:
        result: What the pruner gave.
        provenance: Pruner, parent and its digest, as plain values.
        initial: The weights that the unpruned parent started from, if they are known: they
            become the lottery ticket.
        convention: How the parent's images were normalised, if that is known.

    Returns:
        ``meta``, ``state_dict`` and, where there are any, ``masks`` (packed) and ``initial``.

    Raises:
        UserError: The initial weights are of another network.
    """
    meta = {
        'architecture': result.architecture.to_dict(),
        'provenance': {'arm': AFTER_PRUNING, **provenance},
    }
    if convention is not None:
        meta[KEY] = convention.to_dict()
    checkpoint = {'meta': meta, 'state_dict': result.state_dict}
    if result.masks:
        checkpoint[masking.KEY] = masking.pack(result.masks)
    if initial is not None:
        checkpoint[TICKET] = result.architecture.inherit(initial, result.masks)
    return checkpoint


def save_pruned(
    result: PruneResult,
    path: str | PathLike,
    provenance: Mapping,
    initial: Mapping[str, Tensor] | None = None,
    convention: InputConvention | None = None,
) -> str:
    """Write :func:`pruned_checkpoint` and return the digest of all tensors in it."""
    checkpoint = pruned_checkpoint(result, provenance, initial, convention)
    save_checkpoint(checkpoint, path)
    tensors = {**result.state_dict, **{f'masks.{n}': m for n, m in result.masks.items()}}
    tensors |= {f'{TICKET}.{n}': t for n, t in checkpoint.get(TICKET, {}).items()}
    return digest(tensors)


def initial_weights(
    checkpoint: str | PathLike, given: str | PathLike | None = None
) -> dict[str, Tensor] | None:
    """The weights that a trained network started from.

    Args:
        checkpoint: Of the trained network; training leaves ``initial.pth`` beside it.
        given: The file, if it is elsewhere.

    Raises:
        UserError: The given file is missing, damaged or unsafe.
    """
    beside = Path(checkpoint).parent / INITIAL
    if given is None and not beside.is_file():
        return None
    path = given or beside
    return state_dict_of(load_checkpoint(path), path)
