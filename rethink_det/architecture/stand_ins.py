"""What other tools pickle beside their tensors, read as plain values without their code.

MMEngine pickles its ``HistoryBuffer`` objects into every checkpoint, evaluators leave numbers of
NumPy in there, training scripts their ``argparse.Namespace``. A file names these by module and
name. Here each name stands for something of this module, which keeps what it is handed and does
nothing: what the file names is neither imported nor called. Any other name is refused.
"""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import torch

_NUMBERS = 'biufc'
"""Kinds of NumPy's types whose values are a fixed number of bytes, and nothing else."""
_TEXT = 'SU'


class StandIn:
    """Keeps what a pickle says of an object.

    Attributes:
        args: What it was made from.
        state: What it was filled with afterwards; None if nothing.
    """

    args: tuple[Any, ...]
    state: Any

    def __new__(cls, *args: Any) -> 'StandIn':
        """Take note of the arguments."""
        new = object.__new__(cls)
        new.args, new.state = args, None
        return new

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def plain(self) -> Any:
        """The value in plain types; of a mere name None."""
        return None


class _Dtype(StandIn):
    """``numpy.dtype('f8')``, and the byte order in its state."""

    def plain(self) -> np.dtype:
        code = self.args[0]
        order = self.state[1] if self.state else '='
        kind = np.dtype(code if isinstance(code, str) and code[:1] in _NUMBERS + _TEXT else 'V')
        if kind.kind not in _NUMBERS + _TEXT:
            raise ValueError(f'no numbers: {code!r}')
        return kind.newbyteorder('>' if order == '>' else '<' if order == '<' else '=')


class _Array(StandIn):
    """An array: ``(version, shape, dtype, in Fortran's order, bytes)`` is its state."""

    def plain(self) -> Any:
        _, shape, dtype, fortran, data = self.state
        if isinstance(data, list):  # of Python objects
            return plain_values(data)
        flat = np.frombuffer(_bytes(data), dtype.plain())
        array = flat.reshape(shape, order='F' if fortran else 'C')
        if array.dtype.kind not in _NUMBERS:
            return array.tolist()
        return torch.from_numpy(np.array(array, array.dtype.newbyteorder('='), order='C'))


class _Scalar(StandIn):
    """A number of NumPy: its dtype and bytes."""

    def plain(self) -> Any:
        dtype, data = self.args
        return np.frombuffer(_bytes(data), dtype.plain(), 1)[0].item()


class _History(StandIn):
    """MMEngine's ``HistoryBuffer``: the columns of its values and of their counts."""

    def plain(self) -> list:
        columns = (self.state['_log_history'], self.state['_count_history'])
        return [torch.as_tensor(plain_values(column)) for column in columns]


class _Namespace(StandIn):
    """An object that is its attributes."""

    def plain(self) -> Any:
        return plain_values(self.state or {})


class _Path(StandIn):
    """A path from its parts."""

    def plain(self) -> str:
        return str(PurePosixPath(*(str(part) for part in self.args)))


class _Name(StandIn):
    """A class or function that is only referred to."""


def _nothing(*_: Any) -> None:
    """In the place of ``getattr``, by which a pickle refers to methods."""


def _mapping(*_: Any) -> dict:
    """In the place of a dict with a default."""
    return {}


def _bytes(data: Any) -> bytes:
    """The bytes of an array; a pickle may have them as text."""
    return data.encode('latin1') if isinstance(data, str) else bytes(data)


STAND_INS: tuple[tuple[Any, str], ...] = (
    (_History, 'mmengine.logging.history_buffer.HistoryBuffer'),
    (_nothing, 'builtins.getattr'),
    *(
        (kind, f'numpy.{core}.multiarray.{name}')
        for core in ('core', '_core')
        for kind, name in ((_Array, '_reconstruct'), (_Scalar, 'scalar'))
    ),
    (_Dtype, 'numpy.dtype'),
    (_Name, 'numpy.ndarray'),
    (_Namespace, 'argparse.Namespace'),
    (_Namespace, 'types.SimpleNamespace'),
    *((_Path, f'pathlib.{name}') for name in ('PosixPath', 'PurePosixPath', 'WindowsPath')),
    (_Path, 'pathlib._local.PosixPath'),
    (_mapping, 'collections.defaultdict'),
    *((_Name, f'builtins.{name}') for name in ('dict', 'float', 'int', 'list', 'str', 'tuple')),
    (OrderedDict, 'addict.addict.Dict'),
    (OrderedDict, 'mmengine.config.config.ConfigDict'),
    (OrderedDict, 'mmcv.utils.config.ConfigDict'),
    (OrderedDict, 'yacs.config.CfgNode'),
    (OrderedDict, 'lightning_fabric.utilities.data.AttributeDict'),
    (OrderedDict, 'lightning.fabric.utilities.data.AttributeDict'),
    (OrderedDict, 'pytorch_lightning.utilities.parsing.AttributeDict'),
)
"""What stands for which name, as :func:`torch.serialization.safe_globals` takes it."""


def plain_values(value: Any) -> Any:
    """The same, with every stand-in replaced by its value; dicts and lists are changed in place.

    Raises:
        Exception: Of any kind: what a stand-in was handed makes no sense.
    """
    if isinstance(value, StandIn):
        return value.plain()
    if isinstance(value, dict):
        items = [(plain_values(key), plain_values(item)) for key, item in value.items()]
        value.clear()
        value.update(items)
    elif isinstance(value, list):
        value[:] = _each(value)
    elif type(value) in (tuple, set, frozenset):
        return type(value)(_each(value))
    return value


def _each(values: Any) -> Sequence:
    return [plain_values(item) for item in values]
