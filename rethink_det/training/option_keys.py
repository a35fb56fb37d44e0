"""Keys that may be set in a config though it does not spell them out: MMEngine takes them.

Where a dict has a ``type``, these are the parameters of that class; elsewhere those of the part of
MMEngine that the dict is for.
"""

from collections.abc import Callable, Iterator, Mapping
from inspect import Parameter, isclass, signature
from typing import Any

from mmengine import registry
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from rethink_det.registered import SCOPE_KEY, Kind, registered
from rethink_det.training.starting_weights import EMA, PARTIAL

HOOKS = {
    'runtime_info': 'RuntimeInfoHook',
    'timer': 'IterTimerHook',
    'sampler_seed': 'DistSamplerSeedHook',
    'logger': 'LoggerHook',
    'param_scheduler': 'ParamSchedulerHook',
    'checkpoint': 'CheckpointHook',
}
"""The hooks that every Runner has, by their keys in ``default_hooks``, and their types."""
UNTYPED = {
    'train_cfg': 'EpochBasedTrainLoop',
    'val_cfg': 'ValLoop',
    'test_cfg': 'TestLoop',
    'optim_wrapper': 'OptimWrapper',
    'visualizer': 'Visualizer',
    'log_processor': 'LogProcessor',
    **{f'default_hooks.{key}': kind for key, kind in HOOKS.items()},
}
"""What MMEngine makes of a dict without a type, by its place."""
BUILDERS = (
    registry.MODELS, registry.DATASETS, registry.TRANSFORMS, registry.DATA_SAMPLERS,
    registry.METRICS, registry.EVALUATOR, registry.HOOKS, registry.LOOPS, registry.OPTIMIZERS,
    registry.OPTIM_WRAPPERS, registry.PARAM_SCHEDULERS, registry.TASK_UTILS, registry.VISUALIZERS,
    registry.VISBACKENDS, registry.LOG_PROCESSORS, registry.WEIGHT_INITIALIZERS,
    registry.MODEL_WRAPPERS, registry.FUNCTIONS,
)  # fmt: skip
"""Of what a training config describes; every library on MMEngine has its own of each."""
ENVIRONMENT = ('cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit')
LOADER = ('dataset', 'sampler', 'batch_sampler', 'collate_fn', 'num_batch_per_epoch')
OF_THE_WHOLE = (
    'work_dir', 'data_preprocessor', 'model_wrapper_cfg', 'find_unused_parameters', 'sync_bn',
    'compile', 'activation_checkpointing', 'efficient_conv_bn_eval', 'tta_model', 'tta_pipeline',
)  # fmt: skip
"""What MMEngine and tools read from the whole config, beside what a Runner is given."""
BESIDE_TYPE = {
    'optim_wrapper': ('constructor', 'paramwise_cfg'),
    'train_cfg': ('by_epoch',),
    'norm_cfg': ('requires_grad',),
}
"""What is taken out of a dict, by its place or its key, before the class of its type sees it."""


def addable_keys(node: Mapping, path: tuple[str, ...]) -> list[str]:
    """The keys that a dict of a config may have, and has not.

    Args:
        node: The dict; an empty one stands for one that the config does not have.
        path: Where it is in the config, ``('train_dataloader', 'dataset')``; empty for all of it.

    Returns:
        Sorted. Empty where nothing tells.
    """
    not_set = {'self', 'cfg', 'params', 'kwargs', *(['work_dir'] if path else [])}
    return sorted({*_keys(node, path)} - {*node, *not_set})


def takes_more(node: Mapping, path: tuple[str, ...]) -> bool:
    """Whether the class of a dict's type hands on whatever else it is given: any key may be one.

    Args:
        node: The dict, as of :func:`addable_keys`.
        path: Where it is in the config.
    """
    kind = _meant(node.get('type', UNTYPED.get('.'.join(path))), node.get(SCOPE_KEY))
    calls = _calls(kind)
    return bool(calls) and all(_hands_on(_signature(call)) for call in calls)


def is_read(key: str) -> bool:
    """Whether a key of a whole config is one that MMEngine, a tool or this package reads."""
    return key in (*_keys({}, ()), 'custom_imports', 'env_cfg')


def with_default_hooks(hooks: Mapping | None, named: str) -> dict[str, Any]:
    """``default_hooks`` with one that every Runner has spelled out, so that it can be changed.

    Args:
        hooks: As in the config.
        named: Its key.
    """
    known = dict(hooks or {})
    if named in HOOKS and known.get(named) is None:
        known[named] = {'type': HOOKS[named]}
    return known


def _keys(node: Mapping, path: tuple[str, ...]) -> Iterator[str]:
    place = '.'.join(path)
    if not path:
        yield from (*_parameters(Runner), *OF_THE_WHOLE, EMA, PARTIAL)
    elif place == 'randomness':
        yield from _parameters(Runner.set_randomness)
    elif place == 'env_cfg':
        yield from ENVIRONMENT
    elif place == 'default_hooks':
        yield from HOOKS
    elif place.endswith('_dataloader'):
        yield from (*LOADER, *_parameters(DataLoader))
    else:
        yield from BESIDE_TYPE.get(place, BESIDE_TYPE.get(path[-1], ()))
        kind = node.get('type', UNTYPED.get(place))
        yield from _parameters(_meant(kind, node.get(SCOPE_KEY)))


def _meant(kind: Any, scope: str | None) -> Kind | None:
    """What a type is, whichever registry has it."""
    found = (registered(one, kind, scope) for one in BUILDERS if kind is not None)
    return next((one for one in found if one is not None), None)


def _parameters(kind: Callable | None) -> Iterator[str]:
    """Those of a function, or of a class and of those that it hands the others on to."""
    for call in _calls(kind):
        parameters = _signature(call)
        yield from (one.name for one in parameters if one.kind in _NAMED)
        if not _hands_on(parameters):
            return


def _calls(kind: Callable | None) -> list[Callable]:
    """A function, or how a class is made and those above it; not the last ones, of all classes."""
    if not isclass(kind):
        return [] if kind is None else [kind]
    own = (vars(one).get('__init__') for one in kind.__mro__ if one not in (nn.Module, object))
    return [call for call in own if call is not None]


def _hands_on(parameters: list[Parameter]) -> bool:
    return any(one.kind is Parameter.VAR_KEYWORD for one in parameters)


_NAMED = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


def _signature(call: Callable) -> list[Parameter]:
    try:
        return [*signature(call).parameters.values()]
    except (TypeError, ValueError):  # of C, which does not tell
        return []
