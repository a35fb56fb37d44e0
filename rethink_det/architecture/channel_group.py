"""What is tied to the output channels of one layer, and what reads them."""

from dataclasses import dataclass

from torch import Tensor

from rethink_det.architecture.network import Layer


@dataclass(frozen=True)
class ChannelGroup:
    """The convolutions whose output channels live and die together.

    Attributes:
        root: Name of the convolution asked for.
        members: Names of all convolutions of the group, ``root`` included.
        width: Number of output channels of ``root``.
        obstacle: Why the group cannot be cut, or ``None`` if it can.
        depthwise: Those of ``members`` that are depthwise: channel by channel they pass on
            what another one makes.
        run: Channels that only go together: those of one group of a grouped convolution.
        multiple: What the number of channels that stay is a multiple of: as many groups of equal
            size as GroupNorm makes of them; 1 without one.
    """

    root: str
    members: tuple[str, ...]
    width: int
    obstacle: str | None
    depthwise: tuple[str, ...] = ()
    run: int = 1
    multiple: int = 1

    @property
    def coupled(self) -> bool:
        """Whether other convolutions are tied to ``root`` (a residual stream)."""
        return len(self.members) - len(self.depthwise) > 1

    @property
    def prunable(self) -> bool:
        """Whether single channels can go without a change to any other layer's channels."""
        alone = not self.coupled and self.root not in self.depthwise
        return alone and not self.obstacle and self.run == 1


@dataclass(frozen=True)
class Consumer:
    """A layer that reads the output channels of another.

    Attributes:
        name: Name of the reading layer.
        module: The layer, a convolution or a linear layer.
        columns: ``(C, f)``: which inputs of it come from each of the C channels; f is 1
            unless feature maps are flattened in between.
    """

    name: str
    module: Layer
    columns: Tensor
