"""How long operations take on a device: measured when they are first asked for, and kept.

The file lies in the user's cache folder, one for each device, version of torch, number of threads
and type of numbers. It is written whole or not at all; one that is damaged or of another device is
measured anew.
"""

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import conv2d

from rethink_det.bounds import is_finite
from rethink_det.files import save_json
from rethink_det.latency.operations import Operation, Operations, operations_of
from rethink_det.latency.timing import in_turns
from rethink_det.training.device import name_of
from rethink_det.training.generators import seeded

FORMAT = 1
DTYPE = 'float32'
MEMORY = 512 * 2**20
"""Bytes of tensors of the operations that are timed in turns."""

OPERATIONS, NETWORKS = 'operations', 'networks'

Timer = Callable[[Sequence[Operation], torch.device], list[float]]
"""Seconds of operations on a device; nan of one that cannot be called by itself."""


def cache_folder() -> Path:
    """Where files of this package lie that are only kept to save time."""
    base = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    return Path(base) / 'rethink_det'


def timed(operations: Sequence[Operation], device: torch.device) -> list[float]:
    """Seconds of operations, timed in turns; each finds its input freshly written."""
    with seeded(0):
        prepared = [operation.prepared(device) for operation in operations]
        fails = [_fails(one) for one in prepared]
    works = [one for one, failed in zip(prepared, fails, strict=True) if not failed]
    with torch.no_grad():
        found = iter(in_turns(works, device, [one.freshen for one in works]) if works else ())
    return [float('nan') if failed else next(found) for failed in fails]


@torch.no_grad()
def _fails(call: Callable[[], object]) -> bool:
    """Whether an operation needs other values than small positive ones."""
    try:
        call()
    except (RuntimeError, IndexError, ValueError, TypeError, NotImplementedError):
        return True
    return False


class LatencyTable:
    """Times of operations and networks on a device.

    Args:
        device: Where they are done.
        folder: Of the file; default: :func:`cache_folder`.
        timer: Measures operations.

    Attributes:
        path: The file.
        unmeasured: Operations that cannot be called by themselves.
    """

    def __init__(
        self, device: torch.device, folder: Path | None = None, timer: Timer = timed
    ) -> None:
        self.device, self._timer = device, timer
        self._about = {
            'format': FORMAT,
            'device': name_of(device),
            'torch': torch.__version__,
            'threads': torch.get_num_threads(),
            'dtype': DTYPE,
        }
        digest = hashlib.sha256(json.dumps(self._about, sort_keys=True).encode()).hexdigest()
        self.path = (folder or cache_folder()) / f'latency-{digest[:16]}.json'
        self._known = self._read()
        self.unmeasured: set[Operation] = set()

    def seconds(self, operations: Operations) -> float:
        """The sum over all operations of a network; what is not known yet is measured."""
        new = [o for o in operations if repr(o) not in self._known[OPERATIONS]]
        new = [o for o in new if o not in self.unmeasured]
        for some in _in_parts(new):
            found = dict(zip(some, self._as_before(some), strict=True))
            self.unmeasured |= {one for one, time in found.items() if not is_finite(time)}
            self._keep(OPERATIONS, {repr(o): t for o, t in found.items() if is_finite(t)})
        known = self._known[OPERATIONS]
        return sum(number * known.get(repr(one), 0.0) for one, number in operations.items())

    def _as_before(self, operations: Sequence[Operation]) -> list[float]:
        """Seconds of operations, as they would have been when the first were measured.

        A machine that is slower now than it was then is so for a yardstick as well.
        """
        yardstick = _yardstick()
        now, *times = self._timer([yardstick, *operations], self.device)
        then = self._known[OPERATIONS].setdefault(repr(yardstick), now)
        return [time * then / now for time in times]

    def remembered(self, key: str, measure: Callable[[], float]) -> float:
        """The time of a whole network, measured once.

        Args:
            key: By which it is known, see :func:`network_key`.
            measure: Gives the seconds.
        """
        if key not in self._known[NETWORKS]:
            self._keep(NETWORKS, {key: measure()})
        return self._known[NETWORKS][key]

    def _keep(self, kind: str, found: Mapping[str, float]) -> None:
        """Add to what is known and in the file, which other processes write as well."""
        others = self._read()
        for part in (OPERATIONS, NETWORKS):
            self._known[part] = {**others[part], **self._known[part]}
        self._known[kind].update(found)
        save_json({**self._about, **self._known}, self.path)

    def _read(self) -> dict[str, dict[str, float]]:
        nothing: dict[str, dict[str, float]] = {OPERATIONS: {}, NETWORKS: {}}
        if not self.path.is_file():
            return nothing
        try:
            content = json.loads(self.path.read_text(encoding='utf-8'))
            found = {part: _times(content[part]) for part in nothing}
            about = {key: content[key] for key in self._about}
        except (OSError, ValueError, KeyError, TypeError) as error:
            warnings.warn(f'{self.path} is damaged ({error}): measured anew.', stacklevel=4)
            return nothing
        if about != self._about:
            warnings.warn(f'{self.path} is of another device: measured anew.', stacklevel=4)
            return nothing
        return found


@cache
def _yardstick() -> Operation:
    """A convolution of middle size."""
    images = torch.zeros(1, 64, 28, 28, device='meta')
    weights = torch.zeros(64, 64, 3, 3, device='meta')
    return next(iter(operations_of(lambda: conv2d(images, weights, padding=1))))


def network_key(operations: Operations) -> str:
    """What tells networks apart: a digest of what they consist of."""
    text = '\n'.join(sorted(f'{number} {one!r}' for one, number in operations.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def _times(entries: Any) -> dict[str, float]:
    if not isinstance(entries, dict) or not all(is_finite(v) and v > 0 for v in entries.values()):
        raise ValueError('it has times that are none')
    return entries


def _in_parts(operations: Iterable[Operation]) -> Iterator[list[Operation]]:
    """As many at a time as fit into :data:`MEMORY`, at least one."""
    part: list[Operation] = []
    size = 0
    for one in operations:
        if part and size + one.memory > MEMORY:
            yield part
            part, size = [], 0
        part.append(one)
        size += one.memory
    if part:
        yield part
