"""Dataclasses from JSON: every key is a field, and every value of the field's type, or refused.

Understood are ``str``, ``bool``, ``int``, ``float``, ``Any``, dataclasses, ``tuple[X, ...]``,
``list[X]``, ``Mapping[str, X]``, ``dict[str, X]`` and ``X | None``. A field without a default must
be there.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from rethink_det.errors import UserError

T = TypeVar('T')
NO_KEY = {'key': False}
"""Metadata of a field that is known by other means and stands in no file."""
NEEDED = {'needed': True}
"""Metadata of a field that must be in the file although it has a default."""


def one_of(values: Iterable[str]) -> dict[str, Any]:
    """Metadata of a field that must be in the file, with one of these values."""
    return {'one_of': tuple(values), **NEEDED}


def read(kind: type[T], data: object, where: str, remedy: str = '') -> T:
    """A dataclass from what JSON holds.

    Args:
        kind: The dataclass. Fields with :data:`NO_KEY` are no keys.
        data: A dict, as ``json.loads`` gives it.
        where: File and place in it, for messages.
        remedy: Ends every message.

    Raises:
        UserError: No dict; a key is unknown or missing; or a value is of another type.
    """
    return _Reader(where, remedy).read(kind, data)


def keys(kind: Any) -> list[Field]:
    """The fields of a dataclass, or of one of it, that are keys in a file."""
    return [field for field in fields(kind) if field.metadata.get('key', True)]


@dataclass(frozen=True)
class _Reader:
    """Reads what stands at one place of a file."""

    where: str
    remedy: str

    def refusal(self, words: str) -> UserError:
        return UserError(f'{self.where}: {words}' + (f'; {self.remedy}' if self.remedy else '.'))

    def read(self, kind: Any, data: object) -> Any:
        if not isinstance(data, Mapping):
            raise self.refusal(f'{data!r} is not an object')
        known = {field.name: field for field in keys(kind)}
        for key in data:
            if key not in known:
                raise self.refusal(f'unknown key {key!r}; valid are {", ".join(known)}')
        for key, field in known.items():
            if key not in data and _needed(field):
                raise self.refusal(f'{key!r} is missing')
        hints = get_type_hints(kind)
        values = {key: self.value(hints[key], data[key], key) for key in data}
        for key, value in values.items():
            valid = known[key].metadata.get('one_of', (value,))
            if value not in valid:
                raise self.refusal(f'{key!r} is {value!r}, must be one of {", ".join(valid)}')
        return kind(**values)

    def value(self, hint: Any, value: Any, key: str) -> Any:
        """``value`` as ``hint`` says, or the refusal that names ``key``."""
        kind, options = get_origin(hint) or hint, get_args(hint)
        if kind is UnionType:
            (other,) = (option for option in options if option is not NoneType)
            return None if value is None else self.value(other, value, key)
        if is_dataclass(kind):
            return replace(self, where=f'{self.where}: {key}').read(kind, value)
        if kind in (tuple, list) and isinstance(value, list):
            return kind(self.value(options[0], v, f'{key}[{i}]') for i, v in enumerate(value))
        if kind in (Mapping, dict) and isinstance(value, Mapping):
            return {k: self.value(options[1], v, f'{key}.{k}') for k, v in value.items()}
        if kind is Any or _is(value, kind):
            return value
        raise self.refusal(f'{key!r} is {value!r}, must be {_WORDS[kind]}')


_WORDS = {
    str: 'a text', bool: 'true or false', int: 'a whole number', float: 'a number',
    tuple: 'a list', list: 'a list', Mapping: 'an object', dict: 'an object',
}  # fmt: skip


def _is(value: Any, kind: Any) -> bool:
    if isinstance(value, bool) or kind not in (str, int, float):
        return isinstance(value, bool) and kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


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
    try:
        data = json.loads(path.read_text(encoding='utf-8'), parse_constant=lambda _: None)
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'{path}: cannot be read ({error}); {remedy}') from error
    except json.JSONDecodeError as error:
        raise UserError(f'{path}: not valid JSON ({error}); {remedy}') from error
    if not isinstance(data, dict):
        raise UserError(f'{path}: holds a {type(data).__name__}, not an object; {remedy}')
    own_form, own_version = data.pop('format', form), data.pop('version', 0)
    if own_form != form:
        raise UserError(f"{path}: 'format' is {own_form!r}, must be {form!r}; {remedy}")
    if not isinstance(own_version, int) or not 0 <= own_version <= version:
        raise UserError(
            f"{path}: 'version' is {own_version!r}, and this release reads up to {version}: it was "
            'written by a newer rethink_det, which reads it'
        )
    return data
