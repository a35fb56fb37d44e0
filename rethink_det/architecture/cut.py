"""What to take out of a network: channels, inputs of single layers, blocks, weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor, nn

from rethink_det.architecture import coupled_cut, weight_masks
from rethink_det.architecture.blocks import (
    check_blocks,
    last_layer,
    remove_block,
    residual_blocks,
)
from rethink_det.architecture.input_selection import (
    in_width,
    select_inputs,
    selectable,
    zero_inputs,
)
from rethink_det.architecture.network import module_name
from rethink_det.architecture.surgery import Surgeon
from rethink_det.errors import UserError


@dataclass(frozen=True)
class Cut:
    """One piece of surgery on a concrete network, said in terms of what it has now.

    :meth:`apply` removes the parts, :meth:`zero` sets them to zero and leaves the shapes
    alone; afterwards both networks compute the same.

    Attributes:
        channels: Convolution (or hidden linear layer ``head.*``) to the sorted indices of
            the output channels it keeps; of coupled groups also how many.
        selections: Layer to the sorted indices of the inputs it goes on reading; the layers
            it reads from stay whole.
        blocks: Residual blocks whose residual branch goes.
        masks: Parameter name to a bool tensor of its shape after all of the above; True is
            kept. See :mod:`.weight_masks`.
        coupled: Whether channels go with all that Torch-Pruning ties to them, see
            :mod:`.coupling`: linear layers and grouped convolutions, too.
    """

    channels: Mapping[str, int | Sequence[int]] = field(default_factory=dict)
    selections: Mapping[str, Sequence[int]] = field(default_factory=dict)
    blocks: Sequence[str] = ()
    masks: Mapping[str, Tensor] = field(default_factory=dict)
    coupled: bool = False

    def apply(self, surgeon: Surgeon) -> None:
        """Remove the parts from the surgeon's network, in place.

        Raises:
            UserError: A part does not exist or cannot be removed (names it and says why).
        """
        model, prefix = surgeon.model, surgeon.prefix
        self._check_blocks(surgeon)
        consumers = {n: selectable(model, module_name(n, prefix)) for n in self.selections}
        before = {name: in_width(consumer) for name, consumer in consumers.items()}
        if self.channels and self.coupled:
            coupled_cut.cut(surgeon, self.channels)
        elif self.channels:
            surgeon.cut(self._indices())
        narrowed = next((n for n in consumers if in_width(consumers[n]) != before[n]), None)
        if narrowed:
            raise UserError(f'Layer {narrowed} selects from channels that are cut themselves.')
        for block in self.blocks:
            remove_block(model, prefix + block)
        for layer, kept in self.selections.items():
            select_inputs(model, module_name(layer, prefix), kept)
        if self.masks:
            weight_masks.apply(model, self.masks)

    def zero(self, surgeon: Surgeon) -> None:
        """Set the parts to zero instead, in place; weight masks need equal shapes.

        Raises:
            UserError: As :meth:`apply`.
        """
        model, prefix = surgeon.model, surgeon.prefix
        self._check_blocks(surgeon)
        if self.coupled:
            coupled_cut.zero(surgeon, self.channels)
        else:
            surgeon.zero(self._indices())
        blocks = residual_blocks(model)
        for block in self.blocks:
            for parameter in last_layer(blocks[prefix + block]).parameters():
                parameter.data.zero_()
        for layer, kept in self.selections.items():
            zero_inputs(model, module_name(layer, prefix), kept)
        if self.masks:
            weight_masks.apply(model, self.masks)

    def _check_blocks(self, surgeon: Surgeon) -> None:
        check_blocks(surgeon.model, self.blocks, surgeon.prefix)
        for block in self.blocks:
            inside = next((n for n in self.layers() if n.startswith(f'{block}.conv')), None)
            if inside:
                raise UserError(f'Layer {inside} lies in the removed block {block}.')

    def within(self, model: nn.Module) -> 'Cut':
        """What concerns the modules that ``model`` has, which may end a stage early."""
        names = {name for name, _ in model.named_modules()}
        return replace(
            self,
            channels={name: kept for name, kept in self.channels.items() if name in names},
            selections={name: kept for name, kept in self.selections.items() if name in names},
            blocks=[name for name in self.blocks if name in names],
        )

    def _indices(self) -> dict[str, Sequence[int]]:
        return {n: range(k) if isinstance(k, int) else k for n, k in self.channels.items()}

    def layers(self) -> list[str]:
        """Names of all layers that lose channels or inputs."""
        return [*self.channels, *self.selections]
