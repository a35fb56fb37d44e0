"""Fresh weights: the network's own initialisation, at the widths it has now."""

from torch import nn


def fresh_weights(model: nn.Module) -> None:
    """Draw new weights for the shapes the model has *now*, in place.

    First every layer's own default, then the network's own rule if it has one. Done after
    the cut: a slice of a big network's random weights has the big network's variance. On the
    meta device there are no weights, and nothing is done.
    """
    if any(parameter.is_meta for parameter in model.parameters()):
        return
    for module in model.modules():
        if hasattr(module, 'reset_parameters'):
            module.reset_parameters()
    if hasattr(model, 'init_weights'):
        _quiet_init_weights(model)


def _quiet_init_weights(model: nn.Module) -> None:
    """MMEngine's ``init_weights``, repeatable and without a log line per parameter."""
    for module in model.modules():
        if hasattr(module, '_is_init'):
            module._is_init = False
    if hasattr(model, '_dump_init_info'):
        model._dump_init_info = lambda: None
    try:
        model.init_weights()
    finally:
        model.__dict__.pop('_dump_init_info', None)
    # A runner initialises once more, under its own seed.
    for module in model.modules():
        if hasattr(module, '_is_init'):
            module._is_init = False
