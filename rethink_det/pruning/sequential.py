"""Predefined pruners that look at data, layer after layer."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from rethink_det.architecture import Consumer, Cut, PrunedArchitecture, Surgeon
from rethink_det.architecture.input_selection import in_width, selectable
from rethink_det.architecture.network import module_name
from rethink_det.architecture.tracing import traceable
from rethink_det.bounds import is_int
from rethink_det.errors import UserError
from rethink_det.pruning.features import LayerSampler, LayerSamples
from rethink_det.pruning.image_batches import sample_images
from rethink_det.pruning.predefined import PredefinedPruner


@dataclass(frozen=True)
class Step:
    """One layer to prune.

    Attributes:
        layer: Its name.
        consumers: The layers that read its output channels; the layer itself if it is to
            select from its own inputs.
        count: How many channels are kept.
        selects: Whether these are inputs of the layer instead of outputs.
    """

    layer: str
    consumers: Sequence[Consumer]
    count: int
    selects: bool = False

    def cut(self, kept: Sequence[int]) -> Cut:
        """The surgery that leaves ``kept``."""
        chosen = {self.layer: kept}
        return Cut(selections=chosen) if self.selects else Cut(channels=chosen)


class SequentialPruner(PredefinedPruner):
    """Base of pruners that choose a layer's channels by what they do to the next layer.

    A channel has no score of its own: what it is worth depends on the others. Layers are pruned
    in network order. A pruned channel is set to zero before the next layer
    is looked at, so that its choice is made in the network pruned so far. A method supplies
    :meth:`keep`.

    Args:
        images: How many images are looked at, the first of the data: shuffle those that are
            sorted by class.
        locations: Random places per image and layer.
        seed: Seed of the places.
        **kwargs: As :class:`PredefinedPruner`.

    Raises:
        UserError: ``images`` or ``locations`` is no whole number, or below 1.
    """

    def __init__(
        self, images: int = 512, locations: int = 10, seed: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not all(is_int(number) and number > 0 for number in (images, locations)):
            raise UserError(
                f'{type(self).__name__} needs at least 1 image and 1 location, got '
                f'images={images!r} and locations={locations!r}.'
            )
        self.images, self.locations, self.seed = images, locations, seed

    @abstractmethod
    def keep(
        self, step: Step, sampler: LayerSampler, unpruned: Mapping[str, LayerSamples]
    ) -> tuple[int, ...]:
        """Choose the channels that stay and fit the consumers' weights to them, in place.

        Args:
            step: What to prune.
            sampler: Of the network pruned so far.
            unpruned: What :meth:`unpruned` found.
        """

    @property
    def looks_at_images(self) -> bool:
        """It does."""
        return True

    def unpruned(self, steps: Sequence[Step], sampler: LayerSampler) -> Mapping[str, LayerSamples]:
        """What consumers put out, by name, while the network is whole; here nothing."""
        return {}

    def input_targets(
        self, surgeon: Surgeon, architecture: PrunedArchitecture
    ) -> Mapping[str, int]:
        """How many of its inputs a layer goes on reading, for layers that select some."""
        return {}

    def preview(self, surgeon: Surgeon, architecture: PrunedArchitecture) -> Cut:
        """The first channels of every layer, and the first inputs of those that select some."""
        inputs = self.input_targets(surgeon, architecture)
        selections = {layer: tuple(range(count)) for layer, count in inputs.items()}
        return replace(super().preview(surgeon, architecture), selections=selections)

    def find(
        self, surgeon: Surgeon, architecture: PrunedArchitecture, data: Iterable | None
    ) -> Cut:
        """Prune layer after layer, in place.

        Raises:
            UserError: No data, or a layer whose consumers cannot be fitted.
        """
        steps = self._steps(surgeon, architecture)
        images = sample_images(
            data, type(self).__name__, self.images, next(surgeon.model.parameters())
        )
        sampler = LayerSampler(surgeon.model, images, self.locations, self.seed)
        channels: dict[str, tuple[int, ...]] = {}
        selections: dict[str, tuple[int, ...]] = {}
        with traceable(surgeon.model), torch.no_grad():
            unpruned = self.unpruned(steps, sampler)
            for step in steps:
                kept = self.keep(step, sampler, unpruned)
                step.cut(kept).zero(surgeon)
                (selections if step.selects else channels)[step.layer] = kept
        return Cut(channels=channels, selections=selections)

    def _steps(self, surgeon: Surgeon, architecture: PrunedArchitecture) -> list[Step]:
        """What to prune, in network order: of one layer first the inputs, then the outputs."""
        targets = self.targets(surgeon, architecture)
        selections = self.input_targets(surgeon, architecture)
        steps = []
        for layer in [*surgeon.layers(), *surgeon.units()]:
            if layer in selections:
                steps.append(Step(layer, [_itself(layer, surgeon)], selections[layer], True))
            if layer in targets:
                steps.append(Step(layer, _consumers(layer, surgeon, selections), targets[layer]))
        return steps


def _itself(layer: str, surgeon: Surgeon) -> Consumer:
    module = selectable(surgeon.model, module_name(layer, surgeon.prefix))
    return Consumer(layer, module, torch.arange(in_width(module))[:, None])


def _consumers(layer: str, surgeon: Surgeon, selections: Mapping[str, int]) -> list[Consumer]:
    obstacle, consumers = surgeon.group(layer).obstacle, surgeon.consumers(layer)
    if obstacle or not consumers:
        why = obstacle or 'no convolution or linear layer reads it'
        raise UserError(f'Layer {layer} cannot be pruned: {why}.')
    selecting = next((consumer.name for consumer in consumers if consumer.name in selections), None)
    if selecting:
        raise UserError(
            f'Layer {selecting} cannot select from the outputs of {layer}, which are cut '
            f'themselves: skip {layer}.'
        )
    return consumers
