"""What a ``type`` in a config means, and building from a config.

A ``type`` is written bare (``'PrunedBackbone'``), with its scope (``'rethink_det.PrunedBackbone'``,
``'mmdet.ResNet'``), or it is the class itself. MMEngine looks for a bare name in the default scope
alone; here what the default scope does not know is this package's, in questions and in builds
alike.
"""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager
from copy import deepcopy
from typing import Any, TypeAlias

from mmengine.config import Config
from mmengine.registry import DefaultScope, Registry

from rethink_det.registry import MODELS, REGISTRIES, SCOPE

SCOPE_KEY = '_scope_'
"""Where MMEngine notes of what comes from another package's config that it is in its scope."""

Kind: TypeAlias = type | Callable
"""What a registry holds: a class, or a function that makes something."""


def scope_of(config: Config, otherwise: str = 'mmengine') -> AbstractContextManager[None]:
    """A context in which bare names mean what they mean in ``config``.

    Args:
        config: Its ``default_scope`` counts.
        otherwise: The scope if it names none.
    """
    return DefaultScope.overwrite_default_scope(config.get('default_scope') or otherwise)


def registered(registry: Registry, kind: Kind | str, scope: str | None = None) -> Kind | None:
    """What a ``type`` means; ``None`` if nothing has that name.

    Args:
        registry: Of this package, or a root of MMEngine.
        kind: A name, or what is meant itself.
        scope: Where a bare name is looked for, a config's ``_scope_``; default: the default scope.
    """
    if not isinstance(kind, str):
        return kind
    if registry.parent is None and registry.scope == SCOPE:  # no other scope has such things
        return registry.get(kind)
    with registry.switch_scope_and_registry(scope) as current:
        return current.get(kind) or registry.get(kind)


def is_type(
    config: Mapping | Kind | str | None, names: str | tuple[str, ...], registry: Registry = MODELS
) -> bool:
    """Whether the ``type`` of a config, or a ``type`` itself, means one of these.

    Args:
        config: A config, which may have no type, or a type.
        names: In full, ``'rethink_det.PrunedBackbone'``; several as for ``isinstance``.
        registry: That knows them.
    """
    settings: Mapping[str, Any] = config if isinstance(config, Mapping) else {'type': config}
    kind, scope = settings.get('type'), settings.get(SCOPE_KEY)
    names = (names,) if isinstance(names, str) else names
    return kind is not None and any(_means(kind, name, registry, scope) for name in names)


def _means(kind: Kind | str, name: str, registry: Registry, scope: str | None) -> bool:
    if kind == name:
        return True
    if isinstance(kind, str) and kind.count('.') < 2 and _bare(kind) != _bare(name):
        return False  # without importing what it means
    meant = registered(registry, kind, scope)
    return meant is not None and meant is registered(registry, name)


def _bare(name: str) -> str:
    return name.rpartition('.')[2]


def full_name(registry: Registry, kind: Kind | str) -> str:
    """A ``type`` with its scope, ``'mmdet.ResNet'``, as a file can have it.

    What no registry has stays a bare name, which whoever builds it refuses.
    """
    if isinstance(kind, str) and kind.count('.') == 1:
        return kind
    meant = registered(registry, kind)
    for known in _family(registry):
        for name, module in known.module_dict.items():
            if module is meant:
                return f'{known.scope}.{name}'
    return kind if isinstance(kind, str) else kind.__name__


def by_name(registry: Registry, config: Mapping) -> dict[str, Any]:
    """A config as a file can have it, its ``type`` a :func:`full_name`."""
    kind = {'type': full_name(registry, config['type'])} if config.get('type') else {}
    return {**config, **kind}


def _family(registry: Registry) -> Iterator[Registry]:
    """A registry, its ancestors, and all that descend from them."""
    while registry.parent is not None:
        registry = registry.parent
    waiting = [registry]
    while waiting:
        known = waiting.pop()
        yield known
        waiting += known.children.values()


def backbone_class(kind: Kind | str) -> Kind | None:
    """The class of the backbones that ``dict(type=kind)`` makes.

    A registered function that changes another backbone says in ``builds`` which one.
    """
    meant = registered(MODELS, kind)
    builds = getattr(meant, 'builds', None)
    return meant if builds is None else backbone_class(builds)


def build(registry: Registry, config: Mapping) -> Any:
    """Build what a config says, and leave the config as it is.

    Some of mmdet's detectors (DETR, DINO, ...) change the dict that they are built from, and
    cannot be built from it a second time.

    Args:
        registry: Of this package.
        config: With a ``type``.
    """
    return registry.build(in_full(config, registry))


def in_full(config: Any, *registries: Registry) -> Any:
    """A copy of a config in which what is this package's is named in full, for any scope to find.

    Args:
        config: A config or a part of one, a list of configs, ...
        *registries: Whose names are looked for; default: all of this package's.
    """
    config = deepcopy(config)
    for part, scope in _typed(config._cfg_dict if isinstance(config, Config) else config):
        for registry in registries or REGISTRIES:
            if _is_own_bare_name(registry, part['type'], scope):
                part['type'] = f'{registry.scope}.{part["type"]}'
    return config


def _typed(node: Any, scope: str | None = None) -> Iterator[tuple[MutableMapping, str | None]]:
    """All parts of a config that have a type, with the scope of their bare names."""
    if isinstance(node, MutableMapping):
        scope = node.get(SCOPE_KEY, scope)
        if 'type' in node:
            yield node, scope
        for part in node.values():
            yield from _typed(part, scope)
    elif isinstance(node, (list, tuple)):
        for part in node:
            yield from _typed(part, scope)


def _is_own_bare_name(registry: Registry, kind: object, scope: str | None) -> bool:
    if not isinstance(kind, str) or '.' in kind:
        return False
    registry.import_from_location()
    own = registry.module_dict.get(kind)
    return own is not None and registered(registry, kind, scope) is own
