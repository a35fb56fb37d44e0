"""Fresh weights: the network's own initialisation, at the widths it has now."""

from collections.abc import Iterator
from contextlib import contextmanager

from mmengine.model import BaseModule
from torch import nn


def fresh_weights(model: nn.Module) -> None:
    """Draw new weights for the shapes the model has *now*, in place.

    First every layer's own default, then the network's own rule if it has one. Done after
    the cut: a slice of a big network's random weights has the big network's variance. On the
    meta device there are no weights, and nothing is done.
    """
    if any(parameter.is_meta for parameter in model.parameters()):
        return
    with _cut_constants_kept(model):
        for module in model.modules():
            reset = getattr(module, 'reset_parameters', None)
            if callable(reset):
                reset()
        initialise = getattr(model, 'init_weights', None)
        if callable(initialise):
            with _repeatable_and_quiet(model):
                initialise()


@contextmanager
def _cut_constants_kept(model: nn.Module) -> Iterator[None]:
    """Some modules compute constants anew, at the widths that they were built with.

    Modules of constants alone are not reset (the angles of rotary embeddings, of which a pruned
    head has fewer), and a buffer of another shape than before becomes what it was.
    """
    before = [(module, dict(module.named_buffers(recurse=False))) for module in model.modules()]
    constant = [m for m, _ in before if hasattr(m, 'reset_parameters') and not [*m.parameters()]]
    for module in constant:
        vars(module)['reset_parameters'] = lambda: None
    yield
    for module in constant:
        del vars(module)['reset_parameters']
    for module, buffers in before:
        for name, buffer in buffers.items():
            now = getattr(module, name)
            if now is not None and now.shape != buffer.shape:
                setattr(module, name, buffer)


@contextmanager
def _repeatable_and_quiet(model: nn.Module) -> Iterator[None]:
    """MMEngine's ``init_weights`` without a log line per parameter, and not for the last time."""
    _as_if_new(model)
    if isinstance(model, BaseModule):
        model._dump_init_info = lambda: None
    try:
        yield
    finally:
        vars(model).pop('_dump_init_info', None)
    _as_if_new(model)  # a runner initialises once more, under its own seed


def _as_if_new(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, BaseModule):
            module._is_init = False
