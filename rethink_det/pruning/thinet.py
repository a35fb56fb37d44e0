"""Channels that the next layer misses least, found greedily.

Paper: ThiNet: A Filter Level Pruning Method for Deep Neural Network Compression (Luo et al.,
arXiv 1707.06342), section 3.2: at sampled entries of the next layer's output, remove the
channels whose contributions have the smallest squared sum (equation 6, algorithm 1), then
scale the others by least squares (equation 7). Both need nothing but the contributions' Gram
matrix. In a bottleneck these are its two inner convolutions (section 3.3).
Deviation: no fine-tuning between layers, where the authors train an epoch or two after each;
fine-tune the result instead, and see ``compensate``. 512 images by default, where they take 10
of each of 1000 classes. Of all scales that fit equally well, those nearest to 1 are taken (a
tiny ridge), so a channel that contributes nothing stays as it is. If several layers read the
channels, as in a dense network, their Gram matrices are added.
Expected: the widths of ``resnet50-thinet-30``, ``-50``, ``-70`` and, with its last three
convolutions whole, ``vgg16-thinet-conv``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from rethink_det.architecture import Consumer
from rethink_det.pruning.features import (
    LayerSampler,
    LayerSamples,
    Probe,
    channel_weights,
    set_channel_weights,
    sum_of,
)
from rethink_det.pruning.sequential import SequentialPruner, Step
from rethink_det.registry import PRUNERS

RIDGE = 1e-6
"""Weight of the scales' distance to 1, in units of the mean square of a contribution."""


@PRUNERS.register_module()
class ThiNetPruner(SequentialPruner):
    """Keep the channels without which the next layer's output would change most.

    Args:
        compensate: Let the scales aim at the unpruned network's outputs (without the biases)
            instead of those of the network pruned so far, which stands in for the fine-tuning
            between layers. Not in the paper.
        **kwargs: As :class:`SequentialPruner`.
    """

    def __init__(self, compensate: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.compensate = compensate

    def unpruned(self, steps: Sequence[Step], sampler: LayerSampler) -> Mapping[str, LayerSamples]:
        """What the consumers put out, if that is to be compensated."""
        consumers = {r.name: r.module for step in steps for r in step.consumers}
        wanted = consumers.items() if self.compensate else ()
        return sampler.look([Probe(name, module) for name, module in wanted])

    def keep(
        self, step: Step, sampler: LayerSampler, unpruned: Mapping[str, LayerSamples]
    ) -> tuple[int, ...]:
        """Remove channels greedily and scale the consumers' weights of the others."""
        seen = sampler.look([Probe(r.name, r.module, r.columns) for r in step.consumers])
        entries = [
            self._entries(r, seen[r.name], unpruned.get(r.name), sampler) for r in step.consumers
        ]
        # One way to the CPU for the matrix, instead of one for each channel that goes.
        kept = greedy(sum_of([x.T @ x for x, _ in entries]).cpu(), step.count)
        for consumer, (x, gain) in zip(step.consumers, entries, strict=True):
            columns = consumer.columns[list(kept)]
            scaled = (
                channel_weights(consumer.module, columns) * rescaling(x, gain, kept)[None, :, None]
            )
            set_channel_weights(consumer.module, columns, scaled)
        return kept

    def _entries(
        self,
        consumer: Consumer,
        seen: LayerSamples,
        unpruned: LayerSamples | None,
        sampler: LayerSampler,
    ) -> tuple[Tensor, Tensor]:
        """Contributions to ``locations`` entries per image, and what the entries should gain."""
        weight = channel_weights(consumer.module, consumer.columns)
        count = len(seen.inputs)
        each = -(-self.locations * len(sampler.images) // count)  # 1 unless the map is smaller
        generator = sampler.generator(f'{consumer.name} channels')
        channels = torch.randint(len(weight), (count, each), generator=generator).to(weight.device)
        gain = torch.zeros_like(channels)
        if unpruned is not None:
            gain = (unpruned.outputs - seen.outputs).gather(1, channels)
        return contributions(seen.inputs, weight, channels).double(), gain.flatten().double()


def contributions(inputs: Tensor, weight: Tensor, channels: Tensor) -> Tensor:
    """What each input channel adds to sampled entries of a layer's output.

    Args:
        inputs: ``(N, C, f)``, see :class:`.features.LayerSamples`.
        weight: ``(O, C, f)``.
        channels: ``(N, R)``: the output channels of the R entries at each place.

    Returns:
        ``(N * R, C)``; a row's sum is the entry without bias.
    """
    parts = zip(inputs.split(256), channels.split(256), strict=True)
    return torch.cat(
        [torch.einsum('ncf,nrcf->nrc', x, weight[chosen]).flatten(0, 1) for x, chosen in parts]
    )


def greedy(gram: Tensor, count: int) -> tuple[int, ...]:
    """Indices of the ``count`` channels that are left when the others are removed greedily.

    Algorithm 1: each time the channel goes that keeps the squared sum of everything removed
    smallest; of equal ones the first.

    Args:
        gram: Gram matrix ``(C, C)`` of the contributions.
        count: How many stay.
    """
    # With r the sum of what is removed, c more makes it |r + c|^2 = |r|^2 + 2 r.c + |c|^2.
    growth = gram.diagonal().clone()
    for _ in range(len(gram) - count):
        channel = growth.argmin()
        growth += 2 * gram[channel]
        growth[channel] = torch.inf
    return tuple(growth.isfinite().nonzero().flatten().tolist())


def rescaling(x: Tensor, gain: Tensor, kept: Sequence[int]) -> Tensor:
    """Factors of the kept channels with which they best give the sum of all, equation 7.

    Args:
        x: Contributions ``(N, C)``.
        gain: ``(N,)``, wanted on top of the sum of all.
        kept: Indices of the kept channels.
    """
    part = x[:, list(kept)]
    gram, missing = part.T @ part, x.sum(1) + gain - part.sum(1)
    ridge = RIDGE * x.square().sum() / x.shape[1] + torch.finfo(x.dtype).tiny
    gram.diagonal().add_(ridge)
    return 1 + torch.linalg.solve(gram, part.T @ missing)
