"""Learning rates by layer: mmdet's constructor knows the layers of its own classes alone."""

from mmengine.config import Config
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS

from rethink_det.registered import is_type, scope_of
from rethink_det.transfer.adapted import Change

CONSTRUCTOR = 'mmdet.LearningRateDecayOptimizerConstructor'
_DECAY = ('decay_rate', 'decay_type', 'num_layers')
_UNDECAYED = {'norm_decay_mult': 0.0, 'bias_decay_mult': 0.0}
"""What that constructor does besides: no weight decay of biases and normalisation. MMEngine's own
takes it only where the optimizer's weight decay is said."""


def one_rate(config: Config) -> list[Change]:
    """Train all layers at one learning rate where they had rates by their depth, in place.

    The rates fall from the last to the first layer of a ConvNeXt, which the constructor knows by
    its name; it builds nothing for another backbone.

    Args:
        config: Of a detector whose backbone was replaced.

    Returns:
        The change, if it is one.
    """
    wrapper = config.get('optim_wrapper') or {}
    kind = wrapper.get('constructor')
    with scope_of(config, 'mmdet'):
        if not is_type(kind, CONSTRUCTOR, OPTIM_WRAPPER_CONSTRUCTORS):
            return []
    settings = wrapper.get('paramwise_cfg') or {}
    before = f'{settings.get("decay_type", "layer_wise")} {settings.get("decay_rate")}'
    wrapper.pop('constructor')
    others = {key: value for key, value in settings.items() if key not in _DECAY}
    if (wrapper.get('optimizer') or {}).get('weight_decay') is not None:
        others = {**_UNDECAYED, **others}
    wrapper['paramwise_cfg'] = others or None
    reason = 'one rate for all: the constructor knows no other backbone than its own'
    return [Change('optim_wrapper.constructor', before, None, reason)]
