"""What a sample of images says about a network: gradients, curvature, activations.

Each function here looks at the whole sample in evaluation mode, frozen layers included, and
leaves for the time of a ``with`` block what Torch-Pruning's importances read: ``grad`` of the
parameters, or ``_importance`` of the layers. Afterwards the network is as it was.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rethink_det.architecture.network import Layer
from rethink_det.architecture.tracing import traceable
from rethink_det.errors import UserError
from rethink_det.pruning.image_batches import Labels

LabelledImages = Iterable[tuple[Tensor, Labels]]
"""Pairs of images ``(N, C, H, W)`` and labels, see :func:`.image_batches.image_batches`."""

SCORES = '_importance'
"""Attribute of a layer that Torch-Pruning's ``ActivationImportance`` reads."""

PIXELS = {'cpu': 2**19, 'cuda': 2**21}
"""Images run together with gradients have at most so many pixels: 10 at 224x224, or 41."""


@contextmanager
def gradients(network: nn.Module, sample: LabelledImages) -> Iterator[None]:
    """``grad`` is that of the mean loss over the sample.

    The loss is the cross-entropy, or the network's own method ``loss(images, labels)``.

    Raises:
        UserError: A batch has no labels, or labels that the network has no score for.
    """
    with _gradients_put_back(network):
        seen = 0
        with traceable(network), torch.enable_grad():
            for images, labels in _split(sample, PIXELS.get(_device(network).type, PIXELS['cpu'])):
                _loss(network, images, labels).backward()
                seen += len(images)
        for _, gradient in _with_gradient(network):
            gradient.div_(seen)
        yield


@contextmanager
def squared_gradients(network: nn.Module, sample: LabelledImages) -> Iterator[None]:
    """``grad`` is the mean over the images of the square of each image's own gradient.

    That is the diagonal of the empirical Fisher matrix, which stands for the diagonal of the
    Hessian at a minimum. Takes a backward pass per image and the memory of one.

    Raises:
        UserError: As :func:`gradients`.
    """
    squares: dict[nn.Parameter, Tensor] = {}
    seen = 0
    with _gradients_put_back(network):
        with traceable(network), torch.enable_grad():
            for image, label in _split(sample, 1):
                network.zero_grad()
                _loss(network, image, label).backward()
                for parameter, gradient in _with_gradient(network):
                    squares[parameter] = squares.get(parameter, 0) + gradient.square()
                seen += 1
        for parameter, total in squares.items():
            parameter.grad = total / seen
        yield


@contextmanager
def activations(
    network: nn.Module, sample: LabelledImages, measure: Callable[[Tensor], Tensor]
) -> Iterator[None]:
    """``_importance`` of a layer is the mean of ``measure(input)`` per input channel ``(C,)``.

    Args:
        network: Its convolutions and linear layers are looked at.
        sample: Labels are not needed.
        measure: Maps an input to a tensor of its shape.
    """
    layers = [m for m in network.modules() if isinstance(m, Layer)]
    totals: dict[Layer, Tensor] = {}

    def look(layer: Layer, inputs: tuple[Tensor], _: Tensor) -> None:
        measured = measure(inputs[0])
        channel = 1 if isinstance(layer, nn.Conv2d) else measured.dim() - 1
        others = [d for d in range(measured.dim()) if d != channel]
        totals[layer] = totals.get(layer, 0) + measured.mean(others) * len(measured)

    seen = _run(network, sample, layers, look)
    for layer, total in totals.items():
        setattr(layer, SCORES, total / seen)
    try:
        yield
    finally:
        for layer in totals:
            delattr(layer, SCORES)


def _run(
    network: nn.Module, sample: LabelledImages, layers: Sequence[nn.Module], hook: Callable
) -> int:
    """Show the sample to the network with a hook on some layers; the number of images."""
    handles, seen = [layer.register_forward_hook(hook) for layer in layers], 0
    try:
        with traceable(network), torch.no_grad():
            for images, _ in sample:
                network(images.to(_device(network)))
                seen += len(images)
    finally:
        for handle in handles:
            handle.remove()
    return seen


@contextmanager
def _gradients_put_back(network: nn.Module) -> Iterator[None]:
    before = {parameter: parameter.grad for parameter in network.parameters()}
    for parameter in before:
        parameter.grad = None
    try:
        yield
    finally:
        for parameter, gradient in before.items():
            parameter.grad = gradient


def _with_gradient(network: nn.Module) -> list[tuple[nn.Parameter, Tensor]]:
    return [(p, p.grad) for p in network.parameters() if p.grad is not None]


def _split(sample: LabelledImages, pixels: int) -> Iterator[tuple[Tensor, Labels]]:
    """The sample in batches of at most so many pixels, or of one image."""
    for images, labels in sample:
        size = max(1, pixels // images[0, 0].numel())
        for start in range(0, len(images), size):
            part = slice(start, start + size)
            yield images[part], None if labels is None else labels[part]


def _loss(network: nn.Module, images: Tensor, labels: Labels) -> Tensor:
    """The network's own loss, or else cross-entropy, summed over the images."""
    images = images.to(_device(network))
    own = getattr(network, 'loss', None)
    if labels is not None and callable(own):
        return own(images, labels)
    if not isinstance(labels, Tensor):
        raise UserError(
            'A loss needs labels: pass batches (images, labels) or dicts with inputs and gt_label.'
        )
    return _cross_entropy(network, images, labels)


def _cross_entropy(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    scores = network(images)
    if labels.shape != scores.shape[:1] or labels.is_floating_point():
        raise UserError(f'Labels must be {len(scores)} integers, got {_kind(labels)}.')
    last = scores.shape[1] - 1
    # Looked at where they are, as a rule on the CPU: nobody waits for a GPU then.
    stray = labels[(labels < 0) | (labels > last)]
    if len(stray):
        raise UserError(f'Labels of this network go from 0 to {last}, got {stray[0]}.')
    return F.cross_entropy(scores, labels.long().to(scores.device), reduction='sum')


def _kind(labels: Tensor) -> str:
    return f'a {labels.dtype} tensor of shape {tuple(labels.shape)}'


def _device(network: nn.Module) -> torch.device:
    return next(network.parameters()).device
