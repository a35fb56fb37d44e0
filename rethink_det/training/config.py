"""Reading a config, and changing keys that exist in it."""

import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import yaml
from mmengine.config import Config, ConfigDict
from mmengine.config.utils import MODULE2PACKAGE
from mmengine.fileio import YamlHandler, register_handler
from mmengine.registry import OPTIMIZERS

from rethink_det.errors import UserError, in_one_line, shown
from rethink_det.packages import folder_of, refuse_missing
from rethink_det.registered import registered, scope_of
from rethink_det.registry import SCOPE
from rethink_det.training.metainfo import name_classes
from rethink_det.training.option_keys import (
    addable_keys,
    is_read,
    takes_more,
    with_default_hooks,
)
from rethink_det.training.parts import check_parts
from rethink_det.training.sync_bn import set_sync_bn

# By the name that it is imported by: MMEngine looks for a distribution `mmsegmentation`, which the
# maintained line calls otherwise.
MODULE2PACKAGE['mmseg'] = 'mmseg'


def load_config(path: str | os.PathLike, options: Mapping[str, Any] | None = None) -> Config:
    """Read a config file, or another package's by ``mmdet::faster_rcnn/...py``.

    Args:
        path: File, or ``package::config``.
        options: Dotted keys set to other values, as ``--cfg-options`` gives them.

    Raises:
        UserError: The file or package does not exist, or the file does not parse, or a key does
            not exist in it, or what :func:`~rethink_det.training.sync_bn.set_sync_bn` refuses.
            Nothing is installed.

    Example:
        >>> from rethink_det import load_config
        >>> config = load_config('classifier.py', {'train_cfg.max_epochs': 5})
        >>> config.model.type, config.train_cfg.max_epochs
        ('rethink_det.Classifier', 5)
    """
    text = str(path)
    file = _in_package(text) if '::' in text else text
    if not os.path.isfile(file):
        raise UserError(f'Config {text} does not exist.')
    try:
        config = Config.fromfile(file)
    except Exception as error:  # a config is Python: anything may go wrong in it
        refuse_missing(error, f'Config {text}')
        brief = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise UserError(f'Config {text} cannot be read: {brief}') from error
    set_options(config, options or {}, text)
    for line in _without_effect(config, options or {}):
        _say_once(line)
    check_parts(config, text)
    name_classes(config)
    for line in set_sync_bn(config):
        _say_once(line)
    return config


@lru_cache(maxsize=64)
def _say_once(line: str) -> None:
    """On the main process, and not among what a command prints for other programs."""
    if os.environ.get('RANK', '0') == '0':
        print(line, file=sys.stderr)


def _in_package(name: str) -> str:
    """The file that ``package::config`` means, where MMEngine's packages have theirs."""
    package, _, file = name.partition('::')
    return str(folder_of(package, f'Config {name}') / '.mim' / 'configs' / file)


# Reads plain values, and the tuples that MMEngine writes. libyaml's parser is ten times as fast:
# `_base_ = 'mmdet::...'` has MMEngine read a hundred files.
_PlainLoader: Any = type('_PlainLoader', (getattr(yaml, 'CSafeLoader', yaml.SafeLoader),), {})
_PlainLoader.add_constructor(
    'tag:yaml.org,2002:python/tuple',
    lambda loader, node: tuple(loader.construct_sequence(node, deep=True)),
)


@register_handler(['yaml', 'yml'])
class PlainYamlHandler(YamlHandler):
    """In the place of MMEngine's, which runs what a tag in the file names."""

    def load_from_fileobj(self, file: IO[str], **kwargs: Any) -> Any:
        """The content of a file; with other tags than those of plain values it is refused."""
        return deepcopy(_parsed(file.read()))


@lru_cache(maxsize=512)
def _parsed(text: str) -> Any:
    return yaml.load(text, Loader=_PlainLoader)  # noqa: S506


def set_options(config: Config, options: Mapping[str, Any], where: str) -> None:
    """Set dotted keys in place; unlike MMEngine, refuse one that does not exist.

    A misspelt key would otherwise change nothing, in silence. A key exists if the config has it or
    if MMEngine takes it there (:mod:`.option_keys`). Keys below a new dict value are free, and so
    is everything below a key whose value is None.

    Raises:
        UserError: Names the key and what was probably meant.
    """
    kinds = {key: kind for key, kind in options.items() if _parts(key)[-1] == 'type'}
    typed = deepcopy(config) if kinds else config  # what keys a dict may have follows from its type
    with scope_of(config):
        for key in [*kinds, *(key for key in options if key not in kinds)]:
            if not _is_new_hook(key, options[key]):
                _check_key(typed._cfg_dict, key, where)
            if key in kinds:
                _merge(typed, {key: kinds[key]}, where)
    for place, *inside in map(_parts, options):
        if place == DEFAULT_HOOKS and inside[1:]:
            config[place] = with_default_hooks(config.get(place), inside[0])
    _check_values(options, where)
    _merge(config, options, where)


def _merge(config: Config, options: Mapping[str, Any], where: str) -> None:
    try:
        config.merge_from_dict(dict(options))
    except (TypeError, KeyError, AttributeError, IndexError) as error:
        keys = ', '.join(options)
        raise UserError(f'{where}: {keys} cannot be set: {in_one_line(error)}') from error


def _without_effect(config: Config, options: Mapping[str, Any]) -> list[str]:
    """Of keys that are variables of the file: what was made of them has a copy of the old value."""
    if not config.get('model') or not config.get('train_dataloader'):
        return []  # of a study, or of a part
    names = dict.fromkeys(_parts(key)[0] for key in options)
    return [
        f'--cfg-options {name}: nothing reads this key, a variable of the config file whose value '
        'was copied to where it is used: set it there, as train_dataloader.dataset.data_root.'
        for name in names
        if not is_read(name)
    ]


def _is_new_hook(key: str, value: Any) -> bool:
    """Whether it names a hook of its own, with a type: MMEngine runs whatever is there."""
    place, *inside = _parts(key)
    named = isinstance(value, Mapping) and 'type' in value
    return place == DEFAULT_HOOKS and (inside[1:] == ['type'] or len(inside) == 1 and named)


def _check_values(node: Any, where: str, key: str = '') -> None:
    """Refuse what no config has: functions, objects but classes, and NaN."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            _check_values(value, where, f'{key}.{name}' if key else str(name))
    elif isinstance(node, (list, tuple, set)):
        for value in node:
            _check_values(value, where, key)
    elif not (node is None or isinstance(node, (bool, int, float, str, type))) or node != node:
        raise UserError(f'{where}: {key} cannot be {shown(node)}.')


DEFAULT_HOOKS = 'default_hooks'
"""The key of a config that has them."""


def _parts(key: str) -> tuple[str, ...]:
    return tuple(key.split('.'))


def _check_key(node: Any, key: str, where: str) -> None:
    parts = _parts(key)
    for depth, part in enumerate(parts):
        if node is None:
            return
        if isinstance(node, (list, tuple)):
            if not part.isdigit() or int(part) >= len(node):
                raise UserError(
                    f'{where}: {".".join(parts[:depth])} is a list of {len(node)}; '
                    f'{part!r} is no index of it.'
                )
            node = node[int(part)]
        elif isinstance(node, Mapping) and part in node:
            node = node[part] if not isinstance(node, ConfigDict) else node.get(part)
        else:
            here = node if isinstance(node, Mapping) else {}
            more = addable_keys(here, parts[:depth]) if here is node else []
            if takes_more(here, parts[:depth]) and not get_close_matches(part, (*here, *more), 1):
                return
            if part not in more:
                raise UserError(f'{where} has no key {key!r}: {_not_there(part, node, more)}')
            if any(map(str.isdigit, parts[depth + 1 :])):
                raise UserError(f'{where} has no {part}, and so no entry {key!r}: set all of it.')
            node = {} if addable_keys({}, parts[: depth + 1]) else None


def _not_there(part: str, node: Any, more: Sequence[str]) -> str:
    """That it is no key here, and which are."""
    valid = sorted(node) if isinstance(node, Mapping) else []
    near = get_close_matches(part, (*valid, *more), 1)
    if near:
        return f'{part!r} is not there. Did you mean {near[0]!r}?'
    others = f'; may be added: {", ".join(more)}' if more else ''
    return f'{part!r} is not there. Valid here: {", ".join(valid)}{others}.'


def check_optimizer(config: Config) -> None:
    """Refuse an unknown optimizer; MMEngine fails over it without naming it.

    Raises:
        UserError: Names the key and the type.
    """
    kind = ((config.get('optim_wrapper') or {}).get('optimizer') or {}).get('type')
    with scope_of(config):
        if kind is not None and registered(OPTIMIZERS, kind) is None:
            raise UserError(f'Unknown optim_wrapper.optimizer.type {kind!r} in the config.')


def import_this_package(config: Config) -> None:
    """Let whoever reads a config, in place, know the types of this package."""
    custom = dict(config.get('custom_imports') or {})
    imports = custom.get('imports') or []
    imports = [imports] if isinstance(imports, str) else list(imports)
    if SCOPE not in imports:
        config.custom_imports = {**custom, 'imports': [*imports, SCOPE]}


def name_arm(config: Config, arm: str) -> None:
    """Let every checkpoint of a run say its arm, in place; not if the config wants no provenance.

    Args:
        config: Of a run that no ``TransferHook`` names the arm of.
        arm: Its name.
    """
    hooks = dict(config.get('default_hooks') or {})
    hook = {'type': 'rethink_det.ProvenanceHook', 'arm': arm}
    config.default_hooks = {'provenance': hook, **hooks}


def find_config(name: str, folder: str = '') -> str:
    """The file that a name on the command line means.

    Args:
        name: A path, ``package::config``, or a config of this package by its path in
            ``configs/`` or, with ``folder``, by its bare name in there (``demo``).
        folder: Where bare names are looked up, ``'studies'``.

    Raises:
        UserError: Nothing of that name; suggests what was probably meant.
    """
    file = config_file(name, folder)
    if file is None and '::' not in name:
        place = shipped_configs() / folder
        raise UserError(f'Config {name} does not exist. {_suggestion(name, place)}')
    return name if file is None else file


def config_file(name: str, folder: str = '') -> str | None:
    """As :func:`find_config`, but None where there is no such file."""
    shipped = shipped_configs()
    candidates = [Path(name), shipped / name, shipped / folder / f'{name}.py']
    return next((str(path) for path in candidates if path.is_file()), None)


def _suggestion(name: str, folder: Path) -> str:
    """The shipped configs of about that name; if there are none, where to look for others."""
    known = sorted(path.relative_to(folder) for path in folder.rglob('*.py'))
    known = [path for path in known if path.parts[0] != '_base_']
    near = get_close_matches(Path(name).name.removesuffix('.py'), {p.stem for p in known}, 3)
    if near:
        meant = sorted((p for p in known if p.stem in near), key=lambda p: near.index(p.stem))
        return f'Did you mean {" or ".join(str(path.with_suffix("")) for path in meant)}?'
    counts = Counter(f'{path.parent}/' for path in known if path.parent.name)
    names = [str(path.with_suffix('')) for path in known if not path.parent.name]
    names += [f'{count} in {parent}' for parent, count in sorted(counts.items())]
    return f'Shipped with this package: {", ".join(names)}; to list all: ls -R {folder}'


def shipped_configs() -> Path:
    """Folder of this package's configs: inside the wheel, or in the checkout."""
    package = Path(__file__).resolve().parents[1]
    shipped = package / '.mim' / 'configs'
    return shipped if shipped.is_dir() else package.parent / 'configs'
