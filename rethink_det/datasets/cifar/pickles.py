"""Reading a pickle of dicts, lists and byte arrays without running what it asks for.

A pickle is a program: whoever writes one chooses which functions its reader calls. The
functions that a NumPy array of Python 2 asks for are answered here by inert records, every
other name is refused, and the array is made afterwards, from checked values.
"""

import io
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np

from rethink_det.errors import UserError

DAMAGED = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    IndexError,
    KeyError,
    AttributeError,
    TypeError,
    MemoryError,  # a length that was made up
    OverflowError,
)


class PickledArray:
    """What a pickle says about an array, not yet an array."""

    def __init__(self, *_: object) -> None:
        self.state: object = None

    def __setstate__(self, state: object) -> None:
        self.state = state

    def bytes_array(self) -> np.ndarray:
        """The array, if it is one of uint8; otherwise raises ``ValueError``."""
        match self.state:
            case (int(), tuple(shape), PickledType(code=('u1' | '|u1')), order, bytes(data)):
                return np.frombuffer(data, np.uint8).reshape(shape, order='F' if order else 'C')
        raise ValueError('an array of something else than uint8')


class PickledType:
    """What a pickle says about an array's type."""

    def __init__(self, code: object = None, *_: object) -> None:
        self.code = text(code)

    def __setstate__(self, state: object) -> None:
        """Nothing of it concerns single bytes."""


ANSWERS: dict[tuple[str, str], Callable] = {
    ('numpy.core.multiarray', '_reconstruct'): PickledArray,
    ('numpy._core.multiarray', '_reconstruct'): PickledArray,
    ('numpy', 'ndarray'): PickledArray,
    ('numpy', 'dtype'): PickledType,
    # How Python 3 writes bytes into the old protocols.
    ('_codecs', 'encode'): str.encode,
}


def load_fields(content: bytes, file: Path) -> dict[str, object]:
    """The dict in a pickle, keys as text.

    Args:
        content: The pickle, of any protocol; Python 2's strings become bytes.
        file: Where it is from, for messages.

    Returns:
        Values are plain ones, or ``PickledArray``.

    Raises:
        UserError: It asks for anything but an array, is damaged, or holds no dict.
    """
    try:
        fields = _Reader(content, file).load()
        return {str(text(key)): value for key, value in fields.items()}
    except UserError:
        raise
    except DAMAGED as error:
        raise UserError(
            f'{file}: damaged or cut short, no readable pickle of a dict '
            f'({type(error).__name__}: {error}); fetch the archive again'
        ) from error


def text(value: object) -> object:
    """Bytes as text; Python 2 did not tell them apart."""
    return value.decode('latin-1') if isinstance(value, bytes) else value


class _Reader(pickle.Unpickler):
    """Answers with records; the real functions are never looked up."""

    def __init__(self, content: bytes, file: Path) -> None:
        super().__init__(io.BytesIO(content), encoding='bytes')
        self.file = file

    def find_class(self, module: str, name: str) -> Callable:
        """The inert stand-in of a function."""
        try:
            return ANSWERS[module, name]
        except KeyError:
            raise UserError(
                f'{self.file}: refused, and nothing of it was run: this pickle asks for '
                f'{module}.{name}, which no CIFAR file needs; fetch the archive again'
            ) from None
