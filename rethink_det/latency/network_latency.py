"""How long networks of one kind take: the sum of their operations, scaled by what is measured.

What stands between the operations (Python, caches that one leaves to the next) is in no table. It
is taken from the network that was measured as a whole: another one of its kind is thought to take
as large a share of the time as of the table's sum. Where that is not so, a second network is
measured, and times go as that power of the share which gives both.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log

from rethink_det.architecture import PrunedArchitecture
from rethink_det.errors import UserError
from rethink_det.latency.operations import Operations
from rethink_det.latency.table import LatencyTable, network_key
from rethink_det.latency.timing import in_turns, relative
from rethink_det.training.device import name_of

Run = Callable[[], object]
"""A network looks at an image."""

EXACT = 0.02
"""Of the time: what the table may be off without being corrected."""

MOST = 2.0
"""Of the exponent, and its inverse the least: what is farther off was disturbed."""


@dataclass
class NetworkLatency:
    """Latencies of what is pruned from one network, batch 1.

    Args:
        whole: The network.
        operations: Of an architecture.
        run: Of an architecture, on the table's device, with whatever weights.
        table: Of the device.
        outside: Seconds that the network takes besides what ``run`` does; they are saved by none.

    Attributes:
        exponent: To which shares of the table's sum are raised; 1 until it is corrected.
    """

    whole: PrunedArchitecture
    operations: Callable[[PrunedArchitecture], Operations]
    run: Callable[[PrunedArchitecture], Run]
    table: LatencyTable
    outside: float = 0.0
    exponent: float = 1.0

    def __post_init__(self) -> None:
        found = self.operations(self.whole)
        self._table_whole = self.table.seconds(found)
        self._whole = self.table.remembered(
            network_key(found), lambda: in_turns([self.run(self.whole)], self.table.device)[0]
        )
        if not self._table_whole > 0:
            raise UserError('The latency of the network cannot be told: it has no operations.')

    @property
    def factor(self) -> float:
        """Seconds that the whole network takes for each of the table's."""
        return self._whole / self._table_whole

    def __str__(self) -> str:
        """Where its numbers are from, in a line."""
        where = name_of(self.table.device)
        text = (
            f'latency of batch 1 on {where}: the unpruned network was measured, '
            f'{self.factor:.2f} times the sum of its operations in {self.table.path}'
        )
        if self.exponent != 1:
            text += f', and a pruned one: time goes as the sum to the power of {self.exponent:.2f}'
        if self.outside:
            text += f'; {1000 * self.outside:+.2f} ms for what else the trained network does'
        left_out = len(self.table.unmeasured)
        return f'{text}; {left_out} operations cannot be timed alone' if left_out else text

    def milliseconds(self, architecture: PrunedArchitecture) -> float:
        """What an architecture is thought to take.

        Args:
            architecture: Of a network of this kind.
        """
        share = self.table.seconds(self.operations(architecture)) / self._table_whole
        return 1000 * (self._whole * share**self.exponent + self.outside)

    def cost(self, architecture: PrunedArchitecture, _quantity: str) -> float:
        """The same, as a cost of whatever name.

        Args:
            architecture: As of :meth:`milliseconds`.
        """
        return self.milliseconds(architecture)

    def measured(self, architecture: PrunedArchitecture) -> float:
        """What it does take, in milliseconds, measured in turns with the whole network.

        Told relative to the latter's known time: a machine that is slower now than it was then
        is so for both.

        Args:
            architecture: As of :meth:`milliseconds`.
        """
        runs = [self.run(one) for one in (self.whole, architecture)]
        share = relative(runs, self.table.device)
        return 1000 * (self._whole * share + self.outside)

    def correct(self, architecture: PrunedArchitecture) -> bool:
        """Let what is thought of an architecture be what is measured of it.

        Args:
            architecture: Near which the table is going to be asked.

        Returns:
            Whether it was off by more than :data:`EXACT`.
        """
        operations = self.operations(architecture)
        key = f'{network_key(operations)} beside {network_key(self.operations(self.whole))}'
        inside = self.table.remembered(
            key, lambda: self.measured(architecture) / 1000 - self.outside
        )
        share = self.table.seconds(operations) / self._table_whole
        thought = self._whole * share**self.exponent
        if abs(inside - thought) <= EXACT * inside or not (share < 1 and 0 < inside < self._whole):
            return False
        exponent = log(inside / self._whole) / log(share)
        self.exponent = min(max(exponent, 1 / MOST), MOST)
        return True
