"""Keys that may be set in a config though it does not spell them out: MMEngine takes them.

Where a dict has a ``type``, these are the parameters of that class; elsewhere those of the part of
MMEngine that the dict is for.
"""

from collections.abc import Callable, Iterator, Mapping
from inspect import Parameter, isclass, signature
from typing import Any

from mmengine import registry
from mmengine.runner import Runner
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
    registry.VISBACKENDS, registry.LOG_PROCESSORS,
)  # fmt: skip
"""Of what a training config describes; every library on MMEngine has its own of each."""
ENVIRONMENT = ('cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit')
LOADER = ('dataset', 'sampler', 'batch_sampler', 'collate_fn', 'num_batch_per_epoch')
BESIDE_TYPE = {'optim_wrapper': ('constructor', 'paramwise_cfg'), 'train_cfg': ('by_epoch',)}
"""What MMEngine takes out of a dict before the class that its type names sees it."""


def addable_keys(node: Mapping, path: tuple[str, ...]) -> list[str]:
    """The keys that a dict of a config may have, and has not.

    Args:
        node: The dict; an empty one stands for one that the config does not have.
        path: Where it is in the config, ``('train_dataloader', 'dataset')``; empty for all of it.

    Returns:
        Sorted. Empty where nothing tells.
    """
    return sorted({*_keys(node, path)} - {*node, 'self', 'cfg', 'work_dir', 'params', 'kwargs'})


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
        yield from (*_parameters(Runner), EMA, PARTIAL)
    elif place == 'randomness':
        yield from _parameters(Runner.set_randomness)
    elif place == 'env_cfg':
        yield from ENVIRONMENT
    elif place == 'default_hooks':
        yield from HOOKS
    elif place.endswith('_dataloader'):
        yield from (*LOADER, *_parameters(DataLoader))
    else:
        yield from BESIDE_TYPE.get(place, ())
        kind = node.get('type', UNTYPED.get(place))
        yield from _parameters(_meant(kind, node.get(SCOPE_KEY)))


def _meant(kind: Any, scope: str | None) -> Kind | None:
    """What a type is, whichever registry has it."""
    found = (registered(one, kind, scope) for one in BUILDERS if kind is not None)
    return next((one for one in found if one is not None), None)


def _parameters(kind: Callable | None) -> Iterator[str]:
    """Those of a function, or of a class and of those that it hands the others on to."""
    own = [vars(one).get('__init__') for one in kind.__mro__] if isclass(kind) else [kind]
    for call in filter(None, own):
        parameters = _signature(call)
        yield from (one.name for one in parameters if one.kind in _NAMED)
        if not any(one.kind is Parameter.VAR_KEYWORD for one in parameters):
            return


_NAMED = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


def _signature(call: Callable) -> list[Parameter]:
    try:
        return [*signature(call).parameters.values()]
    except (TypeError, ValueError):  # of C, which does not tell
        return []
