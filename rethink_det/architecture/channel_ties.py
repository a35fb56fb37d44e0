"""Which channels can only go together: nodes, and what ties them.

A *node* is an index along a dimension of a parameter or a buffer: the fifth filter of a
convolution, the fifth scale of its norm. What a network computes ties nodes to one another; nodes
that are tied directly or through others make a *set*, which lives and dies as a whole.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Nodes = NDArray[np.int64]
"""Numbers of nodes, or :data:`FIXED`."""

FIXED = -1
"""In the place of a node: a channel that no parameter makes, which always stays."""

Labels = tuple[Nodes | None, ...]
"""Of each dimension of a tensor, which node each index of it belongs to.

``None`` for a dimension whose size no node has a say in: images, pixels, tokens."""


class Ties:
    """Nodes and what ties them; filled while a network runs, then read."""

    def __init__(self) -> None:
        self.size = 0
        self.place: str = ''
        self._pairs: list[tuple[Nodes, Nodes]] = []
        self._fixed: list[tuple[Nodes, str]] = []
        self._parts: list[tuple[Nodes, ...]] = []
        self._as_many: list[tuple[Nodes, Nodes]] = []

    def new(self, size: int) -> Nodes:
        """Nodes that are not tied to anything yet."""
        self.size += size
        return np.arange(self.size - size, self.size)

    def join(self, one: Nodes, other: Nodes) -> None:
        """Tie nodes, element by element (arrays of shapes that broadcast)."""
        if one is not other:
            a, b = (side.ravel() for side in np.broadcast_arrays(one, other))
            self._pairs.append((a, b))

    def fix(self, nodes: Nodes | None, why: str) -> None:
        """Say that nodes must stay.

        Args:
            nodes: Those; ``None`` for none.
            why: Follows on the name of the module that is running.
        """
        if nodes is not None:
            self._fixed.append((nodes.ravel(), f'{self.place or "the network"} {why}'))

    def split(self, parts: Sequence[Nodes]) -> None:
        """Say that a network splits these from one another: of each the same share goes."""
        self._parts.append(tuple(parts))

    def as_many(self, one: Nodes, other: Nodes) -> None:
        """Say that of some nodes as many must stay as of as many others.

        They are tied, element by element, unless they turn out to be of the same sets.
        """
        self._as_many.append((one, other))

    def settled(self) -> 'Sets':
        """What belongs together in the end."""
        while True:
            ends = np.concatenate([_NONE, *map(_both, self._pairs)], axis=1)
            inner = ends[:, (ends >= 0).all(axis=0)]
            graph = coo_array((np.ones(inner.shape[1], bool), tuple(inner)), (self.size,) * 2)
            number, of = connected_components(graph, directed=False) if self.size else (0, _NONE[0])
            like = [_are_as_many(of, *pair) for pair in self._as_many]
            if all(like):
                break
            self._pairs += [p for p, same in zip(self._as_many, like, strict=True) if not same]
            self._as_many = [p for p, same in zip(self._as_many, like, strict=True) if same]
        bound = ends[:, (ends < 0).any(axis=0)].max(axis=0, initial=FIXED)
        fixed = [*self._fixed, (bound, 'combines it with channels that always stay')]
        reasons: dict[int, str] = {}
        for nodes, why in fixed:
            for one in np.unique(of[nodes[nodes >= 0]]):
                reasons.setdefault(int(one), why)
        parts = [tuple(part[part >= 0] for part in parts) for parts in self._parts]
        return Sets(of, number, reasons, parts)


_NONE: Nodes = np.zeros((2, 0), np.int64)


def _both(pair: tuple[Nodes, Nodes]) -> Nodes:
    return np.stack(pair)


def _are_as_many(of: Nodes, one: Nodes, other: Nodes) -> bool:
    """Whether two sides lie in the same sets, as often in each."""
    ours, theirs = (np.sort(np.where(nodes < 0, FIXED, of[nodes])) for nodes in (one, other))
    return bool(np.array_equal(ours, theirs))


class Sets:
    """The sets that nodes fall into.

    Attributes:
        of: The set of each node.
        number: How many sets there are.
        reasons: Why sets must stay, by their number.
        parts: What a network splits from one another; nodes of each part.
    """

    def __init__(
        self,
        of: Nodes,
        number: int,
        reasons: dict[int, str],
        parts: Sequence[Sequence[Nodes]],
    ) -> None:
        self.of, self.number, self.reasons, self.parts = of, number, reasons, parts
