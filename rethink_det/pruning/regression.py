"""Channels by LASSO, then the next layer's weights by least squares.

Paper: Channel Pruning for Accelerating Very Deep Neural Networks (He et al., arXiv
1707.06168). Section 3.1: choose the channels of which a sparse linear combination gives the
next layer's output (equations 1 to 3), then fit that layer's weights to the ones kept
(equation 4). Section 3.2: the output aimed at is the unpruned network's, so a layer makes up
for those pruned before it; the last layer of a residual branch makes up for the shortcut too
(its target is Y1 - Y1' + Y2), and the first may select from the block's input.
Deviation: 512 images by default, where the authors take 5000. The penalty is not raised step
by step: the LASSO's path is followed from the other end until the wanted number of channels is
in. As in the authors' experiments the weights are fitted once, not in turn with the LASSO. The
fit is drawn to the old weights (``ridge``; 0 is the paper's): without it few images mean fitted
noise. There is no intercept: biases stay. The convolution before a BatchNorm makes up for the
shortcut's error divided by the BatchNorm's scale, where that is not tiny. If several layers
read the channels, as in a dense network, their LASSO problems are added.
Expected: the widths of ``resnet50-2x`` and ``vgg16-5x``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from rethink_det.architecture import Consumer, PrunedArchitecture, Surgeon
from rethink_det.architecture.blocks import SHORTCUT, last_layer, residual_blocks
from rethink_det.architecture.input_selection import in_width, selectable
from rethink_det.architecture.network import Layer, module_name
from rethink_det.bounds import check_number
from rethink_det.errors import UserError
from rethink_det.pruning.features import (
    NOTHING,
    LayerSampler,
    LayerSamples,
    Probe,
    channel_weights,
    set_channel_weights,
    sum_of,
)
from rethink_det.pruning.lasso import lasso
from rethink_det.pruning.ranking import top
from rethink_det.pruning.ratios import Ratios, by_pattern, targets_from_ratios
from rethink_det.pruning.sequential import SequentialPruner, Step
from rethink_det.registry import PRUNERS

TINY_SCALE = 1e-2
"""BatchNorm scales below this share of the largest cannot carry a correction."""

SINGULAR = 1e-10
"""Least ridge, in units of the mean diagonal entry: makes singular equations solvable."""

COLUMNS = 1024
"""Weight columns whose products are computed together."""


@PRUNERS.register_module()
class RegressionPruner(SequentialPruner):
    """Keep the channels that a LASSO chooses, and refit the layer that reads them.

    Args:
        block_inputs: Share of a residual block's input that its first convolution does not
            read any more, one for all blocks or by pattern of that convolution's name; the
            shortcut reads all. Default: what the target says, else none.
        residual_compensation: Whether the last layer of a residual branch makes up for the
            error of the shortcut.
        ridge: Weight of the distance between fitted and old weights, in units of the mean
            squared norm of what the fitted layer reads at one place. It matters only where
            places are few beside the weights to fit: N places weigh N times as much.
        **kwargs: As :class:`SequentialPruner`.

    Raises:
        UserError: Both ``block_inputs`` and ``target`` given, a share outside [0, 1),
            or ``ridge`` below 0.
    """

    selects = True
    """A layer may select from the input of its block."""

    def __init__(
        self,
        block_inputs: Ratios | None = None,
        residual_compensation: bool = True,
        ridge: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if block_inputs is not None and self.target is not None:
            raise UserError('RegressionPruner takes block_inputs from the target: give one.')
        if block_inputs is not None:
            by_pattern(block_inputs)  # refused here, not after the images were looked at
        self.block_inputs, self.residual_compensation = block_inputs, residual_compensation
        self.ridge = check_number('RegressionPruner: ridge', ridge, least=0)

    def input_targets(
        self, surgeon: Surgeon, architecture: PrunedArchitecture
    ) -> Mapping[str, int]:
        """How many inputs the first convolutions of residual blocks go on reading."""
        if self.target is not None:
            return _selections_from_target(surgeon, architecture, self.target)
        if self.block_inputs is None:
            return {}
        blocks = residual_blocks(surgeon.model)
        widths = {
            name: in_width(surgeon.layer(name))
            for name in (f'{block.removeprefix(surgeon.prefix)}.conv1' for block in blocks)
        }
        return targets_from_ratios(widths, self.block_inputs, min_channels=self.min_channels)

    def unpruned(self, steps: Sequence[Step], sampler: LayerSampler) -> Mapping[str, LayerSamples]:
        """What the consumers put out, and the shortcuts beside them."""
        consumers = {consumer.name: consumer for step in steps for consumer in step.consumers}
        return sampler.look(self._probes(consumers.values(), sampler, inputs=False))

    def keep(
        self, step: Step, sampler: LayerSampler, unpruned: Mapping[str, LayerSamples]
    ) -> tuple[int, ...]:
        """Choose channels by LASSO and refit the consumers' weights."""
        probes = self._probes(step.consumers, sampler)
        seen = sampler.look(probes)
        fits = [
            (probe, _regression(probe, unpruned[probe.name], seen[probe.name])) for probe in probes
        ]
        grams, targets, norms = zip(*(lasso_problem(*fit) for _, fit in fits), strict=True)
        # A LASSO's path turns at each event, for which a GPU would be waited for.
        gram, target, squares = (sum_of(parts).cpu() for parts in (grams, targets, norms))
        kept = choose(gram, target, squares, step.count)
        for probe, (inputs, weight, error) in fits:
            fitted = refit(inputs, weight, error, kept, self.ridge)
            set_channel_weights(probe.layer, probe.columns[list(kept)], fitted)
        return kept

    def _probes(
        self, consumers: Iterable[Consumer], sampler: LayerSampler, inputs: bool = True
    ) -> list[Probe]:
        blocks = residual_blocks(sampler.network) if self.residual_compensation else {}
        ends: dict[Layer, nn.Module] = {branch_end(block): block for block in blocks.values()}
        return [
            Probe(c.name, c.module, c.columns if inputs else NOTHING, ends.get(c.module))
            for c in consumers
        ]


def _selections_from_target(
    surgeon: Surgeon, architecture: PrunedArchitecture, target: PrunedArchitecture
) -> dict[str, int]:
    targets = {}
    for layer in dict.fromkeys([*architecture.selections, *target.selections]):
        has = in_width(selectable(surgeon.model, module_name(layer, surgeon.prefix)))
        wants = len(target.selections.get(layer, ()))
        if not 0 < wants <= has:
            raise UserError(
                f'The target lets {layer} read {wants or "all"} channels; it reads only {has}.'
            )
        if wants < has:
            targets[layer] = wants
    return targets


def branch_end(block: nn.Module) -> nn.Conv2d:
    """The convolution that a residual branch ends with, but for a BatchNorm."""
    shortcut = getattr(block, SHORTCUT, None)
    return [m for m in block.children() if isinstance(m, nn.Conv2d) and m is not shortcut][-1]


def _regression(
    probe: Probe, unpruned: LayerSamples, now: LayerSamples
) -> tuple[Tensor, Tensor, Tensor]:
    """Inputs, weight and error of a layer: what :func:`lasso_problem` and :func:`refit` take."""
    weight = channel_weights(probe.layer, probe.columns)
    return now.inputs, weight, shortfall(probe, unpruned, now)


def shortfall(probe: Probe, unpruned: LayerSamples, now: LayerSamples) -> Tensor:
    """``(N, O)`` float64: what a layer has to put out more to make up for what came before."""
    missing = unpruned.outputs - now.outputs
    if probe.block is not None:
        change = unpruned.shortcut - now.shortcut
        missing = missing + _before_norm(change, last_layer(probe.block))
    return missing.double()


def _before_norm(change: Tensor, last: nn.Module) -> Tensor:
    """The change of a branch's last convolution that changes the branch's output like that."""
    if not isinstance(last, nn.BatchNorm2d):
        return change
    if last.running_var is None:
        raise UserError('A BatchNorm without running statistics cannot make up for a shortcut.')
    scale = last.weight / (last.running_var + last.eps).sqrt()
    tiny = scale.abs() < TINY_SCALE * scale.abs().max()
    return torch.where(tiny, 0, change / scale)


def lasso_problem(inputs: Tensor, weight: Tensor, error: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The LASSO of section 3.1 as normal equations: regressors ``Z_i = X_i W_i'``.

    Args:
        inputs: X ``(N, C, f)``.
        weight: W ``(O, C, f)``.
        error: ``(N, O)``: the regressand is ``sum_i Z_i + error``.

    Returns:
        ``<Z_i, Z_j>`` ``(C, C)``; ``<Z_i, sum_j Z_j + error>`` ``(C,)``; squared norms of the
        W_i ``(C,)``. All float64.
    """
    _, channels, cells = inputs.shape
    x, w = inputs.flatten(1).double(), weight.flatten(1).double()
    rows = []
    for part in torch.arange(channels * cells).split(max(1, COLUMNS // cells) * cells):
        products = (x[:, part].T @ x).mul_(w[:, part].T @ w)
        rows.append(products.view(-1, cells, channels, cells).sum((1, 3)))
    gram = torch.cat(rows)
    answers = ((error.double().T @ x) * w).view(-1, channels, cells).sum((0, 2))
    return gram, gram.sum(1) + answers, w.square().view(-1, channels, cells).sum((0, 2))


def choose(gram: Tensor, target: Tensor, norms: Tensor, count: int) -> tuple[int, ...]:
    """The ``count`` channels that the LASSO takes in first.

    The regressors are those of weights with norm 1 (``|W_i| = 1`` in equation 1). If fewer
    channels explain everything, the first of the others fill up.
    """
    scale = torch.where(norms > 0, norms.rsqrt(), 0)
    solution = lasso(gram * scale[:, None] * scale, target * scale, count)
    return top(solution.active.double(), count)


def refit(
    inputs: Tensor, weight: Tensor, error: Tensor, kept: Sequence[int], ridge: float
) -> Tensor:
    """Weights ``(O, kept, f)`` with which the kept channels best give the wanted output.

    Arguments as :func:`lasso_problem`, and ``ridge`` as :class:`RegressionPruner`. With fewer
    samples than unknowns the equations are solved in the samples' space.
    """
    kept = list(kept)
    gone = sorted(set(range(weight.shape[1])) - set(kept))
    x = inputs[:, kept].flatten(1).double()
    missing = error + inputs[:, gone].flatten(1).double() @ weight[:, gone].flatten(1).double().T
    wide = x.shape[1] > len(x)
    gram = x @ x.T if wide else x.T @ x
    power = x.square().sum()
    floor = SINGULAR * power / len(gram) + torch.finfo(x.dtype).tiny
    gram.diagonal().add_(torch.maximum(ridge * power / len(x), floor))
    if wide:
        change = x.T @ torch.linalg.solve(gram, missing)
    else:
        change = torch.linalg.solve(gram, x.T @ missing)
    return weight[:, kept].double() + change.T.reshape(len(weight), len(kept), -1)
