"""What a ``type`` in a config means, building from a config, and what a file may name.

A ``type`` is written bare (``'PrunedBackbone'``), with its scope (``'rethink_det.PrunedBackbone'``,
``'mmdet.ResNet'``), or it is the class itself. MMEngine looks for a bare name in the default scope
alone; here what the default scope does not know is this package's, in questions and in builds
alike.

A config is the user's program: MMEngine imports any dotted name that it has for a ``type``. Any
other file (a checkpoint, an architecture) is data, whoever wrote it: :func:`check_from_file`.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager
from copy import deepcopy
from importlib import import_module
from typing import Any, TypeAlias

from mmengine.config import Config
from mmengine.registry import DefaultScope, Registry
from torch import nn

from rethink_det.errors import UserError, in_one_line
from rethink_det.packages import DISTRIBUTIONS, check_installed, is_installed
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
    if '' in kind.split('.'):
        return None  # Python would take it for a module relative to a package
    if registry.parent is None and registry.scope == SCOPE:  # no other scope has such things
        return registry.get(kind)
    _import_networks(kind)
    with registry.switch_scope_and_registry(scope) as current:
        return current.get(kind) or registry.get(kind)


def _import_networks(kind: str) -> None:
    """Import the package of networks that a name begins with, if it is there and was not yet."""
    scope, _, bare = kind.partition('.')
    if not bare or scope not in NETWORKS or scope in sys.modules or not is_installed(scope):
        return
    try:
        import_module(f'{scope}.registry')
    except (ImportError, AssertionError) as error:  # it asserts which mmcv there is
        raise UserError(
            f'{kind}: the package {scope} is installed and cannot be imported '
            f'({in_one_line(error)}); the extra rethink-det[mmpretrain] says what it needs.'
        ) from error
    with MODELS.switch_scope_and_registry(scope) as registry:
        registry.import_from_location()


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
    named = in_full(config, registry)
    if isinstance(named.get('type'), str):
        _import_networks(named['type'])
    if registry.parent is None:  # no scope of MMEngine's is known to it, which would be told
        with DefaultScope.overwrite_default_scope(registry.scope):
            return registry.build(named)
    return registry.build(named)


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


NETWORKS = {
    'mmdet': ('mmdet.models.backbones.',),
    'mmpretrain': ('mmpretrain.models.backbones.', 'mmpretrain.models.heads.'),
    'mmseg': ('mmseg.models.backbones.',),
}
"""Where other packages have the networks that a file may name; imported when it names one."""

LAYERS = (
    'torch.nn.',
    'mmengine.utils.dl_utils.parrots_wrapper.',
    'mmcv.',
    'mmdet.models.layers.',
    'mmpretrain.models.utils.',
    'mmseg.models.utils.',
    f'{SCOPE}.compat.',
)
"""Where the layers are defined that a network's settings (``norm_cfg``) may name in a file."""

_LIBRARIES = ('torch', 'torchvision', 'timm', 'mmengine', 'mmcv', *NETWORKS)
_NAME = re.compile(r'([A-Za-z_]\w*\.)?[A-Za-z_]\w*', re.ASCII)
_WORD = re.compile(r'[\w+-]{1,64}(\.\d[\w+-]{0,64})*', re.ASCII)
_TIMM = re.compile(r'\w{1,64}(\.\w{1,64})?', re.ASCII)
_WEIGHTS = re.compile(
    r'(\w+_)?(init_cfg|initializer|pretrained\w*)|weights', re.ASCII | re.IGNORECASE
)
_PLACES = re.compile(
    r'(\w+_)?(checkpoint|path|file|filename|dir|root|url|uri|hub|hub_id|state_dict|load_from)',
    re.ASCII | re.IGNORECASE,
)
LARGEST, LONGEST, DEEPEST = 100_000, 4096, 8
"""Of the settings that a file may have: a number, a list, and how they may be nested."""


def check_from_file(config: Any, what: str) -> None:
    """Refuse what a file that is no config of the user's may not say of a network.

    It may name networks that are registered in MODELS: by this package, mmdet, mmpretrain, mmseg
    or what the user imported; with numbers, words, and layers (``norm_cfg``) as settings. Nothing
    is imported for it but those packages, and nothing called before all of it was read.

    Args:
        config: Of a backbone or a head, as a file has it.
        what: What messages call it, ``'backbone'``.

    Raises:
        UserError: Anything else; names the key.
    """
    if not isinstance(config, Mapping) or 'type' not in config:
        raise UserError(f"{what} must be a dict and needs a 'type', got {_short(config)}.")
    _check_kind(config, what, _is_network)
    _check_settings(config, what, DEEPEST)


def _check_settings(config: Mapping, where: str, depth: int) -> None:
    for key, value in config.items():
        place = f'{where}.{_short(key)}' if not isinstance(key, str) else f'{where}.{key[:64]}'
        if not isinstance(key, str) or not key.isidentifier():
            raise UserError(f'{where}: {_short(key)} is no name of a setting.')
        if _fetches(key, value):
            raise UserError(
                f'{place} says where weights come from, which a file may not, and an architecture '
                'has none: leave it out.'
            )
        if key not in ('type', SCOPE_KEY):
            _check_value(value, place, depth, _TIMM if key == 'model_name' else _WORD)


def _fetches(key: str, value: Any) -> bool:
    """Whether a setting makes a class look for weights, in a file or elsewhere."""
    names_a_place = _PLACES.fullmatch(key) and not isinstance(value, bool)
    return bool(_WEIGHTS.fullmatch(key) or names_a_place) and value not in (None, False)


def _check_value(value: Any, where: str, depth: int, word: re.Pattern) -> None:
    """Numbers, words, layers and lists of them; nothing that is called, opened or fetched."""
    if isinstance(value, (Mapping, list, tuple)) and (depth < 1 or len(value) > LONGEST):
        raise UserError(f'{where} is nested too deeply, or longer than {LONGEST}.')
    if isinstance(value, Mapping):
        if 'type' in value:
            _check_kind(value, where, _is_layer)
        _check_settings(value, where, depth - 1)
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            _check_value(item, f'{where}[{number}]', depth - 1, word)
    else:
        _check_leaf(value, where, word)


def _check_leaf(value: Any, where: str, word: re.Pattern) -> None:
    if value is not None and not isinstance(value, (bool, int, float, str)):
        raise UserError(f'{where} is a {type(value).__name__}, which a file may not have here.')
    if isinstance(value, str) and not word.fullmatch(value):
        raise UserError(f'{where} is {_short(value)}: a file may have words here, no more.')
    if isinstance(value, (int, float)) and not abs(value) <= LARGEST:  # nor NaN
        raise UserError(f'{where} is {_short(value)}; valid are numbers up to {LARGEST:,}.')


def _check_kind(config: Mapping, where: str, fits: Callable[[type], bool]) -> None:
    name, scope = config['type'], config.get(SCOPE_KEY)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UserError(
            f'{where}.type is {_short(name)}: a file may name what is registered, as Name or '
            'package.Name; nothing is imported or called for it.'
        )
    if scope is not None and scope not in (*NETWORKS, *(r.scope for r in _family(MODELS))):
        raise UserError(f'{where}.{SCOPE_KEY} is {_short(scope)}, which is no scope of networks.')
    kind = _held(name, scope, where)
    if kind is None:
        raise UserError(
            f'{where}.type is {_short(name)}, which is not registered, and nothing is imported '
            'because a file names it. If it is yours, import its module yourself: by '
            'custom_imports in a config, or by --imports.'
        )
    made = backbone_class(kind)
    if not isinstance(made, type) or not issubclass(made, nn.Module) or not fits(made):
        what = 'network' if fits is _is_network else 'layer'
        raise UserError(f'{where}.type is {_short(name)}, which is no {what} that a file may name.')


def _held(name: str, scope: str | None, where: str) -> Kind | None:
    """What a registry has under a name now; of the packages of networks, when they are imported."""
    given, _, bare = name.rpartition('.')
    places = (given,) if given else _scopes_of_bare_names(scope)
    for place in places:
        if place == SCOPE or (place in NETWORKS and is_installed(place)):
            with MODELS.switch_scope_and_registry(place) as registry:
                registry.import_from_location()
        known = {registry.scope: registry.module_dict for registry in _family(MODELS)}
        if bare in known.get(place, {}):
            return known[place][bare]
    for place in places:
        if place in DISTRIBUTIONS:
            check_installed(place, f'{where}.type {name!r}')
    return None


def _scopes_of_bare_names(scope: str | None) -> tuple[str, ...]:
    """Where a bare name is looked for: this package, its scope and the root."""
    current = DefaultScope.get_current_instance()
    default = current.scope_name if current is not None else 'mmengine'
    return SCOPE, scope or default, 'mmengine'


def _is_network(kind: type) -> bool:
    places = sum(NETWORKS.values(), (f'{SCOPE}.architecture.', f'{SCOPE}.classification.'))
    return kind.__module__.startswith(places) or _is_users(kind)


def _is_layer(kind: type) -> bool:
    return kind.__module__.startswith(LAYERS) or _is_users(kind)


def _is_users(kind: type) -> bool:
    """Whether it is of a module that somebody imported to have it registered."""
    return kind.__module__.partition('.')[0] not in (*_LIBRARIES, SCOPE)


def _short(value: object) -> str:
    text = 'a huge number' if isinstance(value, int) and abs(value) > LARGEST else repr(value)
    return text if len(text) <= 80 else f'{text[:77]}...'
