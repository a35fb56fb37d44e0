"""What layers read and put out, at sampled places of sampled images.

Paper: ThiNet (Luo et al., arXiv 1707.06342), section 3.2.1, and Channel Pruning for
Accelerating Very Deep Neural Networks (He et al., arXiv 1707.06168), sections 3.1 and 4: both
look at a few random places of each image's feature maps, 10 there, instead of at all of them.
Deviation: none.
Expected: a convolution's samples times its weights, plus its bias, are its outputs.
"""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rethink_det.architecture.blocks import shortcut
from rethink_det.architecture.input_selection import SELECTING
from rethink_det.architecture.network import Layer
from rethink_det.errors import UserError

PIXELS = {'cpu': 2**20, 'cuda': 2**23}
BATCH = 128
"""Images run together: at most this many, and no more pixels than :data:`PIXELS` of a device."""


NOTHING = torch.empty(0)
"""Of what is not wanted."""


@dataclass(frozen=True)
class Probe:
    """A layer to look at.

    Attributes:
        name: Its name; decides at which places it is sampled.
        layer: An ungrouped convolution or a linear layer.
        columns: ``(C, g)``: its inputs that belong to each of C channels; none if only its
            outputs are wanted.
        block: The residual block whose residual branch ends with the layer, if what the
            block's shortcut adds there is wanted.
    """

    name: str
    layer: Layer
    columns: Tensor = NOTHING
    block: nn.Module | None = None


@dataclass(frozen=True)
class LayerSamples:
    """What a layer saw at N places.

    Attributes:
        inputs: ``(N, C, f)``, f the kernel's cells times g; empty if not wanted.
        outputs: ``(N, O)``, bias included.
        shortcut: ``(N, O)``, what the block adds; empty if not wanted.
    """

    inputs: Tensor
    outputs: Tensor
    shortcut: Tensor


class LayerSampler:
    """Runs a network on images and keeps what layers see at a few places.

    Args:
        network: In evaluation mode, without gradients; may change between calls.
        images: ``(N, C, H, W)``, on the network's device.
        locations: Places per image and layer, different ones; all if a map has fewer.
        seed: Seed of the places, which depend on it and the layer's name alone.
    """

    def __init__(self, network: nn.Module, images: Tensor, locations: int, seed: int) -> None:
        self.network, self.images = network, images
        self.locations, self.seed = locations, seed
        self._aside = False

    def look(self, probes: Sequence[Probe]) -> dict[str, LayerSamples]:
        """The samples of every probe, by name, from one pass up to the last of the layers.

        Raises:
            UserError: A layer is a grouped convolution.
        """
        _check_groups(probes)
        if not probes:
            return {}
        found: dict[str, list[LayerSamples]] = {probe.name: [] for probe in probes}
        with ExitStack() as stack:
            for probe in probes:
                stack.enter_context(self._attached(probe, found))
            for images in self.images.split(_batch_size(self.images)):
                with suppress(_SeenAll):
                    self.network(images)
        return {name: _joined(parts) for name, parts in found.items()}

    def generator(self, name: str) -> torch.Generator:
        """A stream of random numbers of that name."""
        return torch.Generator().manual_seed(zlib.crc32(f'{self.seed}:{name}'.encode()))

    @contextmanager
    def _attached(self, probe: Probe, found: dict[str, list[LayerSamples]]) -> Iterator[None]:
        """Let ``probe`` write what its layer sees into ``found``."""
        generator = self.generator(probe.name)
        entered: list[Tensor] = []

        def enter(block: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            entered[:] = inputs

        def see(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            if self._aside:
                return
            places = _places(output, self.locations, generator)
            patches = _inputs_at(probe, inputs[0], places, output.shape[-1])
            added = self._shortcut_at(probe.block, entered, places)
            found[probe.name].append(LayerSamples(patches, _values_at(output, places), added))
            if len({len(parts) for parts in found.values()}) == 1:
                raise _SeenAll

        hooks = [probe.layer.register_forward_hook(see)]
        if probe.block is not None:
            hooks.append(probe.block.register_forward_pre_hook(enter))
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _shortcut_at(
        self, block: nn.Module | None, entered: list[Tensor], places: Tensor
    ) -> Tensor:
        if block is None:
            return NOTHING
        self._aside = True  # layers of the shortcut may be looked at too, but not now
        try:
            return _values_at(shortcut(block, *entered), places)
        finally:
            self._aside = False


class _SeenAll(Exception):
    """No layer further on is looked at."""


def channel_weights(layer: Layer, columns: Tensor) -> Tensor:
    """A copy of the weights of C channels, ``(O, C, f)``; ``columns`` as :class:`Probe`."""
    return layer.weight.detach()[:, columns.flatten()].reshape(len(layer.weight), len(columns), -1)


def set_channel_weights(layer: Layer, columns: Tensor, values: Tensor) -> None:
    """Inverse of :func:`channel_weights`, in place."""
    shape = len(layer.weight), columns.numel(), *layer.weight.shape[2:]
    layer.weight.data[:, columns.flatten()] = values.reshape(shape).to(layer.weight.dtype)


def sum_of(tensors: Sequence[Tensor]) -> Tensor:
    """The sum of some tensors of one shape, at least one."""
    return sum(tensors[1:], tensors[0])


def _check_groups(probes: Sequence[Probe]) -> None:
    for probe in probes:
        if getattr(probe.layer, 'groups', 1) > 1:
            raise UserError(f'Layer {probe.name} is a grouped convolution: it cannot be sampled.')


def _batch_size(images: Tensor) -> int:
    return min(BATCH, max(1, PIXELS.get(images.device.type, PIXELS['cpu']) // images[0, 0].numel()))


def _joined(parts: Sequence[LayerSamples]) -> LayerSamples:
    inputs, outputs, shortcuts = zip(
        *((p.inputs, p.outputs, p.shortcut) for p in parts), strict=True
    )
    return LayerSamples(torch.cat(inputs), torch.cat(outputs), torch.cat(shortcuts))


def _places(output: Tensor, locations: int, generator: torch.Generator) -> Tensor:
    """``(N, L)``: different places of every image's output map, counted row by row."""
    channels = output.shape[1] if output.dim() == 4 else output.shape[-1]
    count = output[0].numel() // channels
    shuffled = torch.rand(len(output), count, generator=generator)
    return shuffled.topk(min(locations, count)).indices.to(output.device)


def _values_at(output: Tensor, places: Tensor) -> Tensor:
    """Values ``(N * L, O)`` of a map ``(N, O, H, W)``, or of ``(N, ..., O)`` of a linear layer."""
    convolved = output.dim() == 4
    flat = output.flatten(2).transpose(1, 2) if convolved else _as_rows(output)
    return flat[torch.arange(len(flat), device=flat.device)[:, None], places].flatten(0, 1)


def _inputs_at(probe: Probe, x: Tensor, places: Tensor, width: int) -> Tensor:
    """Inputs ``(N * L, C, f)`` that a layer's outputs at ``places`` of a map depend on."""
    if not len(probe.columns):
        return NOTHING
    layer, wanted = probe.layer, probe.columns.flatten().to(x.device)
    if isinstance(layer, SELECTING):
        wanted = layer.index[wanted]
    if isinstance(layer, nn.Conv2d):
        found = _patches(layer, x.index_select(1, wanted), places, width)
    else:
        found = _values_at(_as_rows(x.index_select(-1, wanted)), places)
    return found.reshape(len(found), len(probe.columns), -1)


def _as_rows(values: Tensor) -> Tensor:
    return values.reshape(len(values), -1, values.shape[-1])


def _patches(conv: nn.Conv2d, x: Tensor, places: Tensor, width: int) -> Tensor:
    """The ``(C, kh * kw)`` inputs of each place in an output map ``width`` places wide."""
    mode = 'constant' if conv.padding_mode == 'zeros' else conv.padding_mode
    # The convolution's own account of its padding, whether given as numbers or as 'same'.
    padded = F.pad(x, conv._reversed_padding_repeated_twice, mode=mode)
    top, left = (places // width) * conv.stride[0], (places % width) * conv.stride[1]
    down, right = (
        torch.arange(size, device=x.device) * dilation
        for size, dilation in zip(conv.kernel_size, conv.dilation, strict=True)
    )
    image = torch.arange(len(x), device=x.device)[:, None, None, None]
    rows, across = top[..., None, None] + down[:, None], left[..., None, None] + right
    # Channels last while gathering, so that one index picks a whole pixel.
    found = padded.permute(0, 2, 3, 1)[image, rows, across]
    return found.permute(0, 1, 4, 2, 3).flatten(0, 1).flatten(2)
