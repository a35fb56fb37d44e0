"""Where a file has its tensors, and what wrappers put in front of their names."""

import os
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from torch import Tensor

from rethink_det.architecture.structure_scales import fold_scales
from rethink_det.errors import UserError

META = 'meta'
"""Where MMEngine has what is neither weights nor the state of the training."""
WRAPPERS = ('state_dict', 'model_state_dict', 'model', 'net', 'params')
"""Keys under which a checkpoint may have its tensors, one inside the other too."""
AVERAGED = ('ema_state_dict', 'state_dict_ema', 'model_ema', 'params_ema', 'ema')
"""Keys of weights that are averaged over a training (EMA)."""
PREFIXES = ('architecture.', 'model.', 'net.')
"""What code around a network puts in front of the names of its tensors; Lightning ``model.``."""
_COUNTERS = ('steps', 'n_averaged')
"""What averaging keeps beside the weights."""
_MMENGINE = 'mmengine_version'

T = TypeVar('T')


def state_in(
    content: Mapping, path: str | os.PathLike, ema: bool = False
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The state dict of a file, and the keys that led to it.

    Args:
        content: Of the file: a bare state dict, or one under any of :data:`WRAPPERS`.
        path: The file, for messages.
        ema: Take the averaged weights. MMEngine's are its ``state_dict``: on saving it swaps them
            with those that were averaged.

    Raises:
        UserError: There are averaged weights alone and they are not asked for, or the other way
            round.
    """
    if ema and not _swapped(content):
        return _averaged(content, path)
    key = next((k for k in WRAPPERS if isinstance(content.get(k), Mapping) and content[k]), None)
    if key is not None:
        inner, keys = state_in(content[key], path)
        return (inner, (key, *keys)) if tensors_in(inner) else (content, ())
    alone = next((k for k in AVERAGED if isinstance(content.get(k), Mapping)), None)
    if alone is not None and not tensors_in(content):
        raise UserError(
            f'{path} holds averaged weights alone ({alone!r}): ask for them by --ema, or ema=True.'
        )
    return content, ()


def _swapped(content: Mapping) -> bool:
    meta = content.get(META)
    return AVERAGED[0] in content and isinstance(meta, Mapping) and _MMENGINE in meta


def _averaged(
    content: Mapping, path: str | os.PathLike
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    key = next((k for k in AVERAGED if isinstance(content.get(k), Mapping)), None)
    if key is None:
        raise UserError(
            f'{path} has no averaged weights (EMA): none of the keys {", ".join(AVERAGED)} is in '
            'it. Leave out --ema, or ema=True.'
        )
    inner, keys = state_in(content[key], path)
    return {name: t for name, t in inner.items() if name not in _COUNTERS}, (key, *keys)


def tensors_in(state: Any) -> dict[str, Tensor]:
    """What of a mapping is a tensor under a name."""
    items = state.items() if isinstance(state, Mapping) else ()
    return {k: v for k, v in items if isinstance(k, str) and isinstance(v, Tensor)}


def no_tensors(path: str | os.PathLike) -> str:
    """That a file has none."""
    return (
        f"{path} holds no tensors: expected a 'state_dict', bare or under one of the keys "
        f'{", ".join(WRAPPERS)}.'
    )


def unwrapped(state: Mapping[str, T], path: str | os.PathLike = 'checkpoint') -> Mapping[str, T]:
    """The same under the names of the bare network.

    ``DataParallel`` and ``DistributedDataParallel`` put ``module.`` in front of the names,
    ``torch.compile`` puts ``_orig_mod.`` wherever a compiled module stands.

    Args:
        state: By name; handed back as it is where nothing is to be changed.
        path: Its file, for messages.

    Raises:
        UserError: Two names become the same.
    """
    return renamed(state, {name: _bare(name) for name in state if isinstance(name, str)}, path)


def _bare(name: str) -> str:
    inner = '.'.join(part for part in name.split('.') if part != '_orig_mod')
    return inner.removeprefix('module.')


def renamed(
    state: Mapping[str, T], names: Mapping[str, str], path: str | os.PathLike = 'checkpoint'
) -> Mapping[str, T]:
    """The same items under other names; what torch notes of the versions of modules goes along.

    Raises:
        UserError: Two names become the same.
    """
    if all(old == new for old, new in names.items()):
        return state
    found: _Versioned[T] = _Versioned()
    for name, item in state.items():
        new = names.get(name, name)
        if new in found:
            raise UserError(f'{path} has the tensor {new} twice, once as {name}.')
        found[new] = item
    versions = getattr(state, '_metadata', None)
    if isinstance(versions, Mapping):
        found._metadata = {_bare(str(name)): said for name, said in versions.items()}
    return found


class _Versioned(dict[str, T]):
    """A state dict that can carry ``_metadata``, as those of torch do."""

    _metadata: Mapping[str, Any]


def fitted(
    state: Mapping[str, T], own: Collection[str], path: str | os.PathLike = 'checkpoint'
) -> Mapping[str, T]:
    """The same under the names of a network, as far as only :data:`PREFIXES` are in the way.

    Args:
        state: By name.
        own: Names of the network's tensors.
        path: The file, for messages.
    """
    names = {}
    for name in state:
        plain = without_prefixes(name)
        if name not in own and plain in own and plain not in state:
            names[name] = plain
    return renamed(state, names, path)


def without_prefixes(name: str) -> str:
    """A name without ``module``, wherever it stands, and without :data:`PREFIXES`."""
    plain = '.'.join(part for part in name.split('.') if part not in ('module', '_orig_mod'))
    for prefix in PREFIXES:
        plain = plain.removeprefix(prefix)
    return plain


def own_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a checkpoint under the names of :class:`~.network.Network`.

    Understands what :func:`unwrapped` and :data:`PREFIXES` say, and ``fc.``, ``linear.`` or
    ``classifier.`` for the head of a plain classifier. Scaling factors of structure
    (:mod:`.structure_scales`) are folded into the weights.
    """
    tensors, _ = fold_scales(dict(_without_common(unwrapped(state))))
    if any(name.startswith('backbone.') for name in tensors):
        return tensors
    return {_network_name(name): value for name, value in tensors.items()}


def _without_common(state: Mapping[str, T]) -> Mapping[str, T]:
    """Without a prefix that all names have, or that the backbone's have."""
    for prefix in PREFIXES:
        with_it = {name: name.removeprefix(prefix) for name in state if name.startswith(prefix)}
        wrapped = any(name.startswith('backbone.') for name in with_it.values())
        if with_it and (wrapped or len(with_it) == len(state)):
            return _without_common(renamed(state, with_it))
    return state


def _network_name(name: str) -> str:
    layer, _, rest = name.partition('.')
    if layer in ('fc', 'linear'):
        return f'head.fc.{rest}'
    return f'head.{name}' if layer == 'classifier' else f'backbone.{name}'
