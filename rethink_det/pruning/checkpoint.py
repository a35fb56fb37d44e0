"""What pruning leaves on disk: one file that rebuilds the network and says where it is from."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from mmengine.config import Config
from torch import Tensor

from rethink_det.architecture.checkpoint import DATA_SET, Checkpoint
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.architecture.provenance import Provenance, config_digest, versions
from rethink_det.architecture.state_dicts import META
from rethink_det.arms import AFTER_PRUNING
from rethink_det.layout import INITIAL
from rethink_det.pruning.pruner import PruneResult


def pruned_checkpoint(
    result: PruneResult,
    parent: Checkpoint,
    pruner: Mapping[str, Any],
    config: Config,
    initial: Mapping[str, Tensor] | None = None,
) -> Checkpoint:
    """The checkpoint of a pruned network.

    Args:
        result: What the pruner gave.
        parent: Of the network that was pruned; its seed and data are those of the weights, and
            its images are normalised alike.
        pruner: Config of the pruner.
        config: Of the parent's training, which says how images are normalised if the parent
            does not.
        initial: The weights that the unpruned parent started from, if they are known: they
            become the lottery ticket.

    Raises:
        UserError: The initial weights are of another network.
    """
    preprocessor = config.model.get('data_preprocessor')
    noted = (parent.others.get(META) or {}).get(DATA_SET)  # names of classes
    return Checkpoint(
        state_dict=result.state_dict,
        architecture=result.architecture.to_dict(),
        provenance=Provenance(
            arm=AFTER_PRUNING,
            seed=parent.provenance.seed,
            data=parent.provenance.data,
            versions=versions(),
            config_digest=config_digest(config),
            parent=parent.as_parent(),
            pruner=pruner,
            inferred=None,
        ),
        input_convention=parent.input_convention or InputConvention.of_settings(preprocessor),
        masks=result.masks,
        others={} if noted is None else {META: {DATA_SET: noted}},
        initial=None if initial is None else result.architecture.inherit(initial, result.masks),
    )


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
    return Checkpoint.read(given or beside).weights
