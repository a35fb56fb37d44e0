"""Whether a cut network runs, and what stays whole so that it does."""

import warnings
from collections.abc import Mapping, Sequence

from torch import nn

from rethink_det.architecture import PrunedArchitecture, Surgeon
from rethink_det.architecture.coupled_cut import removals, removed
from rethink_det.architecture.network import outputs_of
from rethink_det.architecture.surgery import width_of
from rethink_det.architecture.tracing import place_in
from rethink_det.errors import UserError

Kept = Mapping[str, tuple[int, ...]]
"""What the layers of a coupled group keep."""


def check_runs(network: nn.Module, input_shape: Sequence[int]) -> None:
    """Run a network once on an image.

    Raises:
        UserError: It cannot; names the module that fails.
    """
    if failing := _failure(network, input_shape):
        place, error = failing
        raise UserError(
            f'The network that is left cannot run: {place} fails. {error} Skip the layers that it '
            "reads, or prune by groups='coupled', which narrows such networks."
        )


def _failure(network: nn.Module, input_shape: Sequence[int]) -> tuple[str, str] | None:
    with place_in(network) as place:
        try:
            outputs_of(network, input_shape)
        except UserError as error:
            return (place[-1] if place else type(network).__name__), str(error)
    return None


def runnable(
    surgeon: Surgeon, architecture: PrunedArchitecture, groups: Sequence[Kept]
) -> dict[str, tuple[int, ...]]:
    """What all layers keep, without the groups that a network cannot run without.

    Some networks say a width in their own code (how a map is split, how wide a head of
    attention is), which no graph knows. Such a group stays whole.

    Args:
        surgeon: Of the network before it is cut.
        architecture: What it is.
        groups: What each coupled group would keep.

    Raises:
        UserError: It cannot run whatever one leaves whole; names the module that fails.

    Warns:
        UserWarning: Groups stay whole, and where the network failed.
    """
    trial = _Trial(surgeon, architecture)
    whole: dict[str, str] = {}
    groups = [{n: k for n, k in kept.items() if len(k) < trial.widths[n]} for kept in groups]
    groups = [kept for kept in groups if kept]
    while failing := trial.failure(groups):
        place, error = failing
        culprit = trial.culprit(groups, place)
        if culprit is None:
            raise UserError(f'The network that is left cannot run: {place} fails. {error}')
        whole[', '.join(groups[culprit])] = place
        groups = [*groups[:culprit], *groups[culprit + 1 :]]
    if whole:
        told = '; '.join(f'{names} (else {place} fails)' for names, place in whole.items())
        warnings.warn(
            f'Layers stay whole whose width the network itself has fixed: {told}.', stacklevel=5
        )
    return {name: kept for group in groups for name, kept in group.items()}


class _Trial:
    """Cuts a network for as long as it takes to run it."""

    def __init__(self, surgeon: Surgeon, architecture: PrunedArchitecture) -> None:
        self.surgeon, self.input_shape = surgeon, architecture.input_shape
        self.widths = {name: width_of(layer) for name, layer in surgeon.producing().items()}
        self._touched: dict[tuple[str, ...], list[str]] = {}

    def failure(self, groups: Sequence[Kept]) -> tuple[str, str] | None:
        """The module that fails in the network that is left, and how; None if it runs."""
        everything = {name: kept for group in groups for name, kept in group.items()}
        with removed(self.surgeon.model, removals(self.surgeon, everything)):
            return _failure(self.surgeon.model, self.input_shape)

    def culprit(self, groups: Sequence[Kept], place: str) -> int | None:
        """Which group is to stay whole so that the network gets further than to a module."""
        block = place.rpartition('.')[0]
        for number, kept in enumerate(groups):
            if any(name.startswith(block) for name in self._names(kept)):
                failing = self.failure([*groups[:number], *groups[number + 1 :]])
                if failing is None or failing[0] != place:
                    return number
        return None

    def _names(self, kept: Kept) -> list[str]:
        """What loses something with one group."""
        key = tuple(kept)
        if key not in self._touched:
            self._touched[key] = [name for name, _ in removals(self.surgeon, kept).kept]
        return self._touched[key]
