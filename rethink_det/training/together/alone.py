"""What stands against computing a training together with others."""

from functools import partial

from mmengine.config import Config
from torch import nn

from rethink_det.architecture.network import without_memory
from rethink_det.registered import build, is_type, scope_of
from rethink_det.registry import LOOPS, MODELS, OPTIM_WRAPPERS

LOOP = 'rethink_det.FastEpochLoop'
WRAPPERS = ('mmengine.OptimWrapper', 'rethink_det.BFloat16OptimWrapper')
"""Optimizer wrappers that scale no loss: gradients of float16 would vanish before they do."""


def why_alone(config: Config) -> str | None:
    """Why a training must be computed alone; None if nothing is known against it.

    What no config tells is found out in the first step, see :mod:`.agreement`.

    Args:
        config: Of a classifier's run, resolved.
    """
    with scope_of(config):
        return _of_loop(config) or _of_optimizer(config) or _of_model(config)


def _of_loop(config: Config) -> str | None:
    loop = config.train_cfg
    if not is_type(loop, LOOP, LOOPS):
        return f'only {LOOP} computes steps together, and train_cfg has another loop'
    for key in ('graph', 'compile'):
        if loop.get(key):
            return f'train_cfg.{key} is another way to compute a step'
    if config.get('launcher', 'none') not in (None, 'none'):
        return 'the training is distributed'
    return None


def _of_optimizer(config: Config) -> str | None:
    wrapper = config.optim_wrapper
    if 'type' in wrapper and not is_type(wrapper, WRAPPERS, OPTIM_WRAPPERS):
        return f'{wrapper["type"]} may scale the loss; rethink_det.BFloat16OptimWrapper does not'
    return None


def _of_model(config: Config) -> str | None:
    if not is_type(config.model, 'rethink_det.Classifier'):
        return 'the model is no rethink_det.Classifier'
    model = without_memory(partial(build, MODELS, config.model))
    for name, module in model.named_modules():
        if isinstance(module, nn.modules.dropout._DropoutNd) and module.p > 0:
            return f'{name} draws random numbers in each step (dropout)'
        if isinstance(module, nn.modules.batchnorm._NormBase) and module.momentum is None:
            return f'{name} counts its batches (momentum=None)'
    return None
