"""Predefined pruners that give every channel a score."""

from abc import abstractmethod
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from math import fsum
from typing import Any

import torch
from torch import Tensor

from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon
from rethink_det.architecture.coupled_group import CoupledGroup, Unit
from rethink_det.architecture.network import Layer
from rethink_det.errors import UserError
from rethink_det.pruning.coupled import (
    COUPLED,
    FREE,
    GLOBAL,
    GROUPS,
    LAYER,
    SCOPES,
    Asked,
    Least,
    Scores,
    asked_by_ratio,
    asked_by_target,
    chosen,
    ranked,
)
from rethink_det.pruning.predefined import PredefinedPruner
from rethink_det.pruning.ranking import top
from rethink_det.pruning.ratios import matches
from rethink_det.pruning.runnable import runnable


class LayerwisePruner(PredefinedPruner):
    """Base of pruners with a target for each layer. A method supplies :meth:`score` alone.

    Args:
        groups: ``'free'``: convolutions lose channels that no other layer is tied to, as the
            published methods have it. ``'coupled'``: all layers do, each with what it is tied to
            (residual streams, grouped and depthwise convolutions, gates), see
            :mod:`~rethink_det.architecture.coupling`; a ratio counts the units of a group, what
            stays is rounded down. A target that lost coupled groups is met by coupled groups.
        scope: ``'layer'``: a ratio is that of each layer. ``'global'``: of all coupled groups
            together, which are ranked as one.
        *args: As :class:`PredefinedPruner`.
        **kwargs: Likewise.

    Raises:
        UserError: Unknown groups or scope, or one ranking of what is free.
    """

    def __init__(self, *args: Any, groups: str = FREE, scope: str = LAYER, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.target is not None and self.target.coupled:
            groups = COUPLED
        name = type(self).__name__
        for what, value, known in (('groups', groups, GROUPS), ('scope', scope, SCOPES)):
            if value not in known:
                raise UserError(f'{name}: {what} must be one of {known}, got {value!r}.')
        if scope == GLOBAL and (groups != COUPLED or self.target is not None):
            raise UserError(f"{name}: scope='global' needs groups='coupled', and a ratio.")
        self.groups, self.scope = groups, scope

    @property
    def widths_follow_from(self) -> Hashable:
        """The same, and which layers are pruned; of one ranking of all groups the weights tell."""
        return None if self.scope == GLOBAL else (self.groups, super().widths_follow_from)

    @abstractmethod
    def score(self, layer: str, conv: Layer) -> Tensor:
        """Importance of each output channel of a layer, shape ``(out_channels,)``.

        Args:
            layer: Its name.
            conv: The convolution, or a linear layer.
        """

    def looking(self, surgeon: Surgeon, data: Iterable | None) -> AbstractContextManager:
        """A context in which channels can be scored: here without data."""
        return nullcontext()

    def trace(self, surgeon: Surgeon) -> None:
        """The same; of coupled groups every channel is followed."""
        _ = surgeon.trace if self.groups == COUPLED else surgeon.graph

    def check(self, surgeon: Surgeon, architecture: PrunedArchitecture) -> None:
        """The same of coupled groups, where these are pruned."""
        if self.groups == COUPLED:
            self._asked(surgeon.coupling.groups, architecture)
        else:
            super().check(surgeon, architecture)

    def find(
        self, surgeon: Surgeon, architecture: PrunedArchitecture, data: Iterable | None
    ) -> Cut:
        """The channels of largest score in every layer that loses some."""
        if self.groups == COUPLED:
            return self._find_coupled(surgeon, architecture, data)
        targets = self.targets(surgeon, architecture)
        with self.looking(surgeon, data):
            return Cut(
                channels={
                    layer: self.select(layer, surgeon.layer(layer), count)
                    for layer, count in targets.items()
                }
            )

    def _find_coupled(
        self, surgeon: Surgeon, architecture: PrunedArchitecture, data: Iterable | None
    ) -> Cut:
        groups = surgeon.coupling.groups
        asked = self._asked(groups, architecture)
        with self.looking(surgeon, data):
            scores = [self._finite(one.group, surgeon) for one in asked]
        asked = ranked(asked, scores) if self.scope == GLOBAL else asked
        kept = [chosen(one, of_kinds) for one, of_kinds in zip(asked, scores, strict=True)]
        return Cut(channels=runnable(surgeon, architecture, kept), coupled=True)

    def preview(self, surgeon: Surgeon, architecture: PrunedArchitecture) -> Cut:
        """The first channels of every layer, or units of every group."""
        if self.groups != COUPLED:
            return super().preview(surgeon, architecture)
        if self.scope == GLOBAL and self.looks_at_images:
            raise UserError(
                f"{type(self).__name__}: what scope='global' leaves is known when all images were "
                'looked at: give a ratio, or leave scope out.'
            )
        if self.scope == GLOBAL:
            return self.find(surgeon, architecture, None)
        asked = self._asked(surgeon.coupling.groups, architecture)
        kept = [
            one.group.kept(
                unit
                for units, number in zip(one.group.kinds, one.numbers, strict=True)
                for unit in units[:number]
            )
            for one in asked
        ]
        return Cut(channels=runnable(surgeon, architecture, kept), coupled=True)

    def turned_layers(self, surgeon: Surgeon) -> list[str]:
        """Those that can lose channels; of coupled groups the first of each."""
        if self.groups != COUPLED:
            return super().turned_layers(surgeon)
        free = [group for group in surgeon.coupling.groups if not group.obstacle]
        skipped = (any(matches(name, self.skip) for name in group.members) for group in free)
        roots = [one.root for one, whole in zip(free, skipped, strict=True) if not whole]
        return roots if self.scope == LAYER else []

    def _asked(
        self, groups: Sequence[CoupledGroup], architecture: PrunedArchitecture
    ) -> list[Asked]:
        if self.target is not None:
            return asked_by_target(groups, architecture, self.target)
        least = Least(self.min_channels, self.round_to)
        return asked_by_ratio(groups, self.ratios, self.skip, least, self.scope)

    def unit_scores(self, group: CoupledGroup, surgeon: Surgeon) -> Scores:
        """The score of each unit of a coupled group: the sum over its channels."""
        scores = {name: self.score(name, surgeon.producer(name)) for name in group.members}
        return summed(group, scores)

    def _finite(self, group: CoupledGroup, surgeon: Surgeon) -> Scores:
        scores = self.unit_scores(group, surgeon)
        if not all(torch.isfinite(kind).all() for kind in scores):
            raise UserError(f'The scores of layer {group.root} are not finite numbers.')
        return scores

    def select(self, layer: str, conv: Layer, count: int) -> tuple[int, ...]:
        """The ``count`` channels of largest score.

        Raises:
            UserError: A score is not a finite number.
        """
        scores = self.score(layer, conv)
        if not torch.isfinite(scores).all():
            raise UserError(f'The scores of layer {layer} are not finite numbers.')
        return top(scores, count)


def summed(group: CoupledGroup, scores: Mapping[str, Tensor]) -> list[Tensor]:
    """Scores of units: the sum over the channels in them.

    Args:
        group: The group.
        scores: Of the channels of its layers, ``(out_channels,)`` each; some may be left out.
    """
    known = {name: score.tolist() for name, score in scores.items()}
    return [torch.tensor([_sum(unit, known) for unit in units]) for units in group.kinds]


def _sum(unit: Unit, scores: Mapping[str, Sequence[float]]) -> float:
    return fsum(scores[n][place] for n, places in unit.items() if n in scores for place in places)
