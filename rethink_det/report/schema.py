"""Dataclasses from JSON or a config: every key is a field, every value of its type, or refused.

Understood are ``str``, ``bool``, ``int``, ``float``, ``Any``, dataclasses, ``tuple[X, ...]``,
``list[X]``, ``Sequence[X]``, ``Mapping[str, X]``, ``dict[str, X]`` and unions of these and None.
Numbers are finite. A field without a default must be there.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from inspect import signature
from math import inf
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from rethink_det.bounds import is_finite, is_int
from rethink_det.errors import UserError, shown

T = TypeVar('T')
DEEPEST = 64
"""Levels of objects and lists within each other that a JSON file may have."""
NO_KEY = {'key': False}
"""Metadata of a field that is known by other means and stands in no file."""
NEEDED = {'needed': True}
"""Metadata of a field that must be in the file although it has a default."""


def one_of(values: Iterable[str]) -> dict[str, Any]:
    """Metadata of a field that must be in the file, with one of these values."""
    return {'one_of': tuple(values), **NEEDED}


def within(least: float = -inf, most: float = inf) -> dict[str, Any]:
    """Metadata of a field whose numbers, each of a list too, have bounds."""
    return {'within': (least, most)}


def said_as(hint: Any, **more: Any) -> dict[str, Any]:
    """Metadata of a field that stands in a file as another type, which the class turns into it."""
    return {'said_as': hint, **more}


def read(kind: type[T], data: object, where: str, remedy: str = '', key: str = '') -> T:
    """A dataclass from what a file holds.

    Args:
        kind: The dataclass. Fields with :data:`NO_KEY` are no keys.
        data: A dict, as ``json.loads`` gives it.
        where: The file, for messages.
        remedy: Ends every message.
        key: Of the dict in the file, ``'study.detection[0]'``; empty if it is all of it.

    Raises:
        UserError: No dict; a key is unknown or missing; or a value is of another type.
    """
    return _Reader(where, remedy).read(kind, data, key)


def read_values(
    kind: type, data: object, where: str, key: str = '', some: Collection[str] = ()
) -> dict[str, Any]:
    """The values of a dataclass, for whoever has more to do before it makes one.

    Args:
        kind: The dataclass.
        data: As of :func:`read`.
        where: As of :func:`read`.
        key: As of :func:`read`.
        some: These fields alone, of which none need be there; default: all.

    Raises:
        UserError: As of :func:`read`.
    """
    reader, known = _Reader(where, ''), {field.name: field for field in keys(kind)}
    if some:
        return reader.values(kind, {name: known[name] for name in some}, data, key)
    return reader.all_values(kind, data, key)


def check_arguments(call: Callable, data: Mapping[str, Any], where: str) -> None:
    """Refuse values that a class or function does not take, by its annotations.

    What is not annotated, or otherwise than this module understands, is not looked at; nor are
    keys that are no parameters.

    Args:
        call: A class or function.
        data: Its keyword arguments.
        where: How messages begin.

    Raises:
        UserError: Names the argument.
    """
    own = [vars(one).get('__init__') for one in call.__mro__] if isinstance(call, type) else [call]
    for function in filter(None, own):
        hints = get_type_hints(function)
        for name in signature(function).parameters:
            if name in data and _understood(hints.get(name)):
                _Reader(where, '').value(hints[name], data[name], name)


def check_value(
    hint: Any, value: object, where: str, key: str, limits: tuple[float, float] = (-inf, inf)
) -> None:
    """Refuse a value that is not of a type.

    Args:
        hint: The type.
        value: From a user.
        where: How messages begin.
        key: Of the value.
        limits: The least and the most of its numbers.

    Raises:
        UserError: Names the key.
    """
    _Reader(where, '', limits).value(hint, value, key)


def keys(kind: Any) -> list[Field]:
    """The fields of a dataclass, or of one of it, that are keys in a file."""
    return [field for field in fields(kind) if field.metadata.get('key', True)]


@dataclass(frozen=True)
class _Reader:
    """Reads what stands in a file."""

    where: str
    remedy: str
    limits: tuple[float, float] = (-inf, inf)

    def refusal(self, words: str) -> UserError:
        """What is wrong, with the file before it and the remedy behind."""
        return UserError(f'{self.where}: {words}' + (f'; {self.remedy}' if self.remedy else '.'))

    def wrong(self, key: str, value: object, valid: str) -> UserError:
        """That a key has a value that is not ``valid``."""
        place = f'{key!r} is ' if key else ''
        return self.refusal(f'{place}{shown(value)}, must be {valid}')

    def read(self, kind: Any, data: object, key: str) -> Any:
        """A dataclass of what stands there."""
        values = self.all_values(kind, data, key)
        try:
            return kind(**values)
        except UserError:
            raise
        except ValueError as error:  # that of its __post_init__
            raise self.refusal(f'{key}: {error}' if key else f'{error}') from None

    def all_values(self, kind: Any, data: Any, key: str) -> dict[str, Any]:
        """The values of all fields that are there, and those must that have no default."""
        known = {field.name: field for field in keys(kind)}
        self.check_keys(known, data, key)
        for name, field in known.items():
            if name not in data and _needed(field):
                raise self.refusal(f'{_joined(key, name)!r} is missing')
        return self.values(kind, known, data, key)

    def check_keys(self, known: Collection[str], data: object, key: str) -> None:
        """Refuse what is no dict, or has other keys."""
        if not isinstance(data, Mapping):
            raise self.wrong(key, data, _WORDS[Mapping])
        unknown = next((name for name in data if name not in known), None)
        if unknown is not None:
            place = f'{key}: ' if key else ''
            names = ', '.join(known)
            raise self.refusal(f'{place}unknown key {shown(unknown)}; valid are {names}')

    def values(self, kind: Any, known: Mapping[str, Field], data: Any, key: str) -> dict[str, Any]:
        """The values of fields, those that are there."""
        self.check_keys(known, data, key)
        hints = get_type_hints(kind)
        return {
            name: self.field(known[name], hints[name], value, _joined(key, name))
            for name, value in data.items()
        }

    def field(self, field: Field, hint: Any, value: Any, key: str) -> Any:
        """The value of a field, within its bounds."""
        limits = field.metadata.get('within', self.limits)
        found = replace(self, limits=limits).value(field.metadata.get('said_as', hint), value, key)
        valid = field.metadata.get('one_of', (found,))
        if found not in valid:
            raise self.wrong(key, found, f'one of {", ".join(valid)}')
        return found

    def value(self, hint: Any, value: Any, key: str) -> Any:
        """``value`` as ``hint`` says, or the refusal that names ``key``."""
        kind, options = get_origin(hint) or hint, get_args(hint)
        if kind in (UnionType, Union):
            return self.option(options, value, key)
        if is_dataclass(kind):
            is_one = isinstance(kind, type) and isinstance(value, kind)
            return value if is_one else self.read(kind, value, key)
        if kind in _LISTS and isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
            make = list if kind is list else tuple
            of = options[0] if options else Any
            return make(self.value(of, one, f'{key}[{i}]') for i, one in enumerate(value))
        if kind in (Mapping, dict) and isinstance(value, Mapping):
            return self.table(options[1] if options else Any, value, key)
        if kind is Any or _is(value, kind, self.limits):
            return value
        raise self.wrong(key, value, _described(hint, self.limits))

    def table(self, of: Any, table: Mapping, key: str) -> dict[str, Any]:
        """The values of a dict, by texts."""
        for name in table:
            if not isinstance(name, str):
                raise self.refusal(f'{key!r} has the key {shown(name)}, and its keys must be texts')
        return {name: self.value(of, one, _joined(key, name)) for name, one in table.items()}

    def option(self, options: Sequence[Any], value: Any, key: str) -> Any:
        """``value`` as one of several types says."""
        if value is None and NoneType in options:
            return None
        others = [one for one in options if one is not NoneType]
        meant = [one for one in others if is_dataclass(one) and isinstance(value, Mapping)]
        if any((get_origin(one) or one) in (Mapping, dict) for one in others):
            meant = []  # any dict will do
        for option in meant or others:
            try:
                return self.value(option, value, key)
            except UserError:
                if len(meant or others) == 1:
                    raise
        raise self.wrong(key, value, ' or '.join(_described(one, self.limits) for one in others))


def _joined(key: str, name: str) -> str:
    return f'{key}.{name}' if key else name


_LISTS = (tuple, list, Sequence)
_WORDS = {
    str: 'a text', bool: 'true or false', int: 'a whole number', float: 'a finite number',
    tuple: 'a list', list: 'a list', Sequence: 'a list', Mapping: 'a dict', dict: 'a dict',
}  # fmt: skip


def _described(hint: Any, limits: tuple[float, float]) -> str:
    """What is valid, in words."""
    kind = get_origin(hint) or hint
    if is_dataclass(kind):
        return _WORDS[Mapping]
    least, most = limits if kind in (int, float) else (-inf, inf)
    bounds = [f'at least {least:g}'] * (least > -inf) + [f'at most {most:,}'] * (most < inf)
    return _WORDS[kind] + (f' of {" and ".join(bounds)}' if bounds else '')


def _is(value: Any, kind: Any, limits: tuple[float, float]) -> bool:
    if kind not in (int, float):
        return type(value) is kind if kind is bool else kind is str and _is_text(value)
    right = is_int(value) if kind is int else is_finite(value)
    return right and is_finite(value) and limits[0] <= value <= limits[1]


def _is_text(value: Any) -> bool:
    """Whether it is a text that a file can have: no half of a surrogate pair."""
    try:
        return isinstance(value, str) and len(value.encode()) >= len(value)
    except UnicodeEncodeError:
        return False


def _understood(hint: Any) -> bool:
    """Whether all parts of a type are such as this module reads."""
    kind, options = get_origin(hint) or hint, get_args(hint)
    if kind in (UnionType, Union, *_LISTS, Mapping, dict):
        return all(one is Ellipsis or _understood(one) for one in options)
    return kind in (str, bool, int, float, Any, NoneType) or is_dataclass(kind)


def _needed(field: Field) -> bool:
    has_none = field.default is MISSING and field.default_factory is MISSING
    return field.metadata.get('needed', has_none)


def read_file(path: Path, form: str, version: int, remedy: str) -> dict[str, Any]:
    """The content of a JSON file of a format, without ``format`` and ``version``.

    A file without these is of the time before there were versions, and is taken as it is. NaN
    and infinities, which are no JSON, become None.

    Args:
        path: The file.
        form: Name of the format.
        version: The newest one that this release reads.
        remedy: Ends every message.

    Raises:
        FileNotFoundError: There is no such file.
        UserError: It cannot be read, is no JSON object, or of another format or a newer version.
    """
    data = read_object(path, remedy)
    own_form, own_version = data.pop('format', form), data.pop('version', 0)
    if own_form != form:
        raise UserError(f"{path}: 'format' is {own_form!r}, must be {form!r}; {remedy}")
    if not isinstance(own_version, int) or not 0 <= own_version <= version:
        raise UserError(
            f"{path}: 'version' is {own_version!r}, and this release reads up to {version}: it was "
            'written by a newer rethink_det, which reads it'
        )
    return data


def read_object(path: Path, remedy: str) -> dict[str, Any]:
    """The content of a JSON file that holds an object, whatever stands in it.

    NaN and infinities, which are no JSON, become None.

    Args:
        path: The file.
        remedy: Ends every message.

    Raises:
        FileNotFoundError: There is no such file.
        UserError: It cannot be read, is no JSON object, or is nested deeper than :data:`DEEPEST`.
    """
    try:
        data = json.loads(path.read_text(encoding='utf-8'), parse_constant=lambda _: None)
    except FileNotFoundError:
        raise
    except OSError as error:  # whose text has the whole path in it
        why = error.strerror or type(error).__name__
        raise UserError(f'{path}: cannot be read ({why}); {remedy}') from error
    except UnicodeDecodeError as error:
        raise UserError(f'{path}: cannot be read ({error}); {remedy}') from error
    except (ValueError, RecursionError) as error:
        raise UserError(f'{path}: not valid JSON ({error}); {remedy}') from error
    if not isinstance(data, dict):
        raise UserError(f'{path}: holds a {type(data).__name__}, not an object; {remedy}')
    if _depth(data) > DEEPEST:
        raise UserError(f'{path}: is nested deeper than {DEEPEST} levels; {remedy}')
    return data


def _depth(data: dict) -> int:
    """How many levels of objects and lists there are, as far as :data:`DEEPEST` and one more."""
    level: list[Any] = [data]
    for depth in range(DEEPEST + 1):
        inner = [one.values() if isinstance(one, dict) else one for one in level]
        level = [one for values in inner for one in values if isinstance(one, (dict, list))]
        if not level:
            return depth + 1
    return DEEPEST + 1
