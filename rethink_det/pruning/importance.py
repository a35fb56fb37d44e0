"""Channels of least importance, by the measures that Torch-Pruning has.

Paper: by name of the importance.
    ``l1``, ``l2``: norm of a filter; arXiv 1608.08710, section 3.1.
    ``fpgm``: sum of distances to the layer's other filters; arXiv 1811.00250.
    ``lamp``: squared norm over the squared norms of all filters at least as large; arXiv
    2010.07611.
    ``bn_scale``: factor of the BatchNorm that follows; arXiv 1708.06519, section 3.
    ``taylor``: first-order change of the loss without the filter; arXiv 1906.10771, section 3.
    ``hessian``: second-order change, from the diagonal; Optimal Brain Damage (LeCun et al.,
    NIPS 1989).
    ``apoz``: share of non-zeros in what the next layer reads, that is 1 - APoZ; arXiv
    1607.03250.
    ``activation``: mean absolute value of what the next layer reads.
Deviation: within a layer ``lamp`` ranks as ``l2`` does; the two differ only in a ranking
across layers. Torch-Pruning scores filters where the paper scores single weights. ``taylor``
adds up the absolute contributions of a filter's weights; ``multivariable=True`` takes the
absolute value of their sum, whose square is the paper's. The curvature of ``hessian`` is the
mean square of single images' gradients. Two measures of Torch-Pruning 1.6.0 are not used: its
FPGM compares squared weights, so a filter and its negative are equal; its Hessian's
accumulated gradients are those of the last image alone.
Expected: no number; each paper prunes by a schedule of its own. ``l1`` keeps what
:class:`~rethink_det.pruning.L1NormPruner` keeps.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
import torch_pruning as tp
from torch import Tensor

from rethink_det.architecture import PrunedArchitecture, Surgeon
from rethink_det.architecture.coupled_group import CoupledGroup
from rethink_det.architecture.grouped_scores import tied_to_layer
from rethink_det.architecture.network import Layer
from rethink_det.bounds import is_int
from rethink_det.errors import UserError
from rethink_det.pruning.coupled import COUPLED, FREE, LAYER, Scores
from rethink_det.pruning.image_batches import image_batches
from rethink_det.pruning.layerwise import LayerwisePruner, summed
from rethink_det.pruning.sample_statistics import activations, gradients, squared_gradients
from rethink_det.registry import PRUNERS

REDUCTIONS = ('first', 'sum', 'mean')
"""How the scores of a channel's layers become one: that of the first layer that has one, which
is its own filter, or its BatchNorm; or all together. Torch-Pruning's other ways go wrong where a
flattened map is read: of the inputs of one channel they count the last."""

Scorer = Callable[[tp.Group], Tensor | None]
"""Maps the group of all output channels of a layer to a score of each."""


@dataclass(frozen=True)
class Importance:
    """One measure.

    Attributes:
        build: Makes the scorer from the options.
        options: What a user may set, and the defaults.
        statistics: What it needs to have been looked at: a context of the network and the sample.
        images: How many images it looks at by default.
        needs: What a layer lacks that it has no score for.
    """

    build: Callable[..., Scorer]
    options: Mapping = field(default_factory=lambda: {'group_reduction': 'first'})
    statistics: Callable[..., AbstractContextManager] | None = None
    images: int = 256
    needs: str = 'a layer that reads it'


def distances(group: tp.Group) -> Tensor:
    """Sum of the Euclidean distances of each filter to the others: least near the median."""
    filters = group[0].dep.layer.weight.detach().flatten(1)
    exact = 'donot_use_mm_for_euclid_dist'  # the fast way loses near-equal filters to rounding
    return torch.cdist(filters, filters, compute_mode=exact).sum(dim=1)


def _library(kind: type[tp.importance.Importance], **fixed: Any) -> Callable[..., Scorer]:
    def build(**options: Any) -> Scorer:
        scorer = kind(**fixed, **options)
        scorer.target_types = tuple(scorer.target_types)  # the default is a list that all share
        return scorer

    return build


_consumers = _library(tp.importance.ActivationImportance, group_reduction='mean', normalizer=None)

IMPORTANCES = {
    'l1': Importance(_library(tp.importance.MagnitudeImportance, p=1, normalizer=None)),
    'l2': Importance(_library(tp.importance.MagnitudeImportance, p=2, normalizer=None)),
    'fpgm': Importance(lambda: distances, options={}),
    'lamp': Importance(_library(tp.importance.LAMPImportance)),
    'bn_scale': Importance(
        _library(tp.importance.BNScaleImportance, normalizer=None), needs='BatchNorm'
    ),
    'taylor': Importance(
        _library(tp.importance.TaylorImportance, normalizer=None),
        options={'group_reduction': 'first', 'multivariable': False},
        statistics=gradients,
    ),
    'hessian': Importance(
        _library(tp.importance.HessianImportance, normalizer=None),
        statistics=squared_gradients,
        images=64,  # a backward pass for each
    ),
    'activation': Importance(
        _consumers, options={}, statistics=partial(activations, measure=Tensor.abs)
    ),
    'apoz': Importance(
        _consumers, options={}, statistics=partial(activations, measure=lambda x: x.ne(0).float())
    ),
}
"""The measures by name."""


@PRUNERS.register_module()
class ImportancePruner(LayerwisePruner):
    """Keep the channels of largest importance.

    Args:
        importance: Name of the measure, a key of :data:`IMPORTANCES`. ``taylor`` and
            ``hessian`` need labelled images, ``activation`` and ``apoz`` images.
        images: How many images to look at; default: 256, of ``hessian`` 64 (it takes a
            backward pass for each).
        ratios: As the others, see :class:`LayerwisePruner`.
        target: See there.
        skip: See there.
        min_channels: See there.
        groups: See there.
        scope: See there.
        **options: Of the measure. ``group_reduction``, one of :data:`REDUCTIONS`: whether the
            channel's own filter alone counts (the default) or also the layers tied to it.
            ``multivariable``: see the module. ``fpgm`` is of the filter alone; ``activation``
            and ``apoz`` are the mean over the layers that read the channel.

    Raises:
        UserError: Unknown importance or option.
    """

    def __init__(
        self,
        importance: str = 'l2',
        images: int | None = None,
        ratios: float | Mapping[str, float] | None = None,
        target: str | Mapping | PrunedArchitecture | None = None,
        skip: str | Sequence[str] = (),
        min_channels: int = 1,
        groups: str = FREE,
        scope: str = LAYER,
        **options: Any,
    ) -> None:
        if importance not in tuple(IMPORTANCES):  # a list cannot be looked up in a dict
            raise UserError(f'No importance {importance!r}; known are {", ".join(IMPORTANCES)}.')
        self.name, self._kind = f'ImportancePruner({importance!r})', IMPORTANCES[importance]
        self.images = self._kind.images if images is None else images
        if not is_int(self.images) or self.images < 1:
            raise UserError(f'{self.name} looks at a positive number of images, got {images!r}.')
        self._scorer = self._kind.build(**self._checked(options))
        super().__init__(
            groups=groups,
            scope=scope,
            ratios=ratios,
            target=target,
            skip=skip,
            min_channels=min_channels,
        )

    @property
    def looks_at_images(self) -> bool:
        """Whether the measure does."""
        return self._kind.statistics is not None

    def _checked(self, options: Mapping) -> dict:
        known = self._kind.options
        stranger = next((name for name in options if name not in known), None)
        if stranger:
            raise UserError(
                f'{self.name} has no option {stranger!r}; it has {", ".join(known) or "none"}.'
            )
        reduction = options.get('group_reduction', 'first')
        if reduction not in REDUCTIONS:
            raise UserError(f'group_reduction must be one of {REDUCTIONS}, got {reduction!r}.')
        return {**known, **options}

    def looking(self, surgeon: Surgeon, data: Iterable | None) -> AbstractContextManager:
        """A context in which the measure finds what it has to have looked at."""
        tied = tied_to_layer if self.groups == COUPLED else Surgeon.tied_group
        self._group = partial(tied, surgeon)
        if self._kind.statistics is None:
            return nullcontext()
        return self._kind.statistics(surgeon.model, image_batches(data, self.name, self.images))

    def unit_scores(self, group: CoupledGroup, surgeon: Surgeon) -> Scores:
        """The sum over the channels of those layers that the measure has a score for.

        Raises:
            UserError: There is no such layer.
        """
        layers = {name: surgeon.producer(name) for name in group.members}
        found = {name: self._scores(name, layer) for name, layer in layers.items()}
        scores = {name: score for name, score in found.items() if score is not None}
        if not scores:
            raise UserError(
                f'{self.name} has no score for layer {group.root}: it needs {self._kind.needs}.'
            )
        return summed(group, scores)

    def score(self, layer: str, conv: Layer) -> Tensor:
        """The importance of each output channel of ``layer``.

        Raises:
            UserError: The layer has nothing that the importance looks at.
        """
        scores = self._scores(layer, conv)
        if scores is None:
            raise self._no_score(layer)
        return scores

    def _no_score(self, layer: str) -> UserError:
        lacks = self._kind.needs
        return UserError(f'{self.name} has no score for layer {layer}: it needs {lacks}.')

    def _scores(self, layer: str, conv: Layer) -> Tensor | None:
        scores = self._scorer(self._group(layer))
        # A flattened map's consumer leaves zeros behind.
        return None if scores is None else scores[: conv.weight.shape[0]]
