"""From a foreign checkpoint to an architecture and weights that fit it exactly."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor, nn

from rethink_det.architecture import PrunedArchitecture, weight_masks
from rethink_det.architecture.channel_indices import Kept
from rethink_det.architecture.checkpoint import (
    Checkpoint,
    describes_itself,
    digest,
    load_checkpoint,
)
from rethink_det.architecture.finite import check_finite
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.architecture.provenance import Parent, Provenance, file_name, versions
from rethink_det.arms import AFTER_CONVERSION
from rethink_det.convert.conventions import Wanted, wanted_by
from rethink_det.convert.foreign_models import check_same, foreign_model
from rethink_det.convert.known_networks import (
    identify,
    load_base,
    read_otherwise,
    shapes_of,
    with_classes,
)
from rethink_det.convert.network_slimming import split_selections
from rethink_det.convert.subnet import read_subnet
from rethink_det.convert.tensor_names import COUNTER, layer_of, renamed, tensors_of
from rethink_det.convert.tensor_shapes import infer
from rethink_det.convert.unstructured import fold_masks, masks_of_zeros, share_of_zeros
from rethink_det.defaults import ZEROS
from rethink_det.errors import UserError

_DEFAULT = 'as by default'


@dataclass(frozen=True)
class Converted:
    """A foreign network as this package has its own.

    Attributes:
        architecture: What it is.
        state_dict: Its weights, every tensor of the architecture.
        masks: Its weight masks by parameter name, if it has any.
        inferred: What was not said but found out, a readable line each.
        parent: The foreign checkpoint; its digest is of the tensors under their own names.
        wanted: How its images are normalised, if it is a network whose published weights say so.
    """

    architecture: PrunedArchitecture
    state_dict: dict[str, Tensor]
    parent: Parent
    masks: weight_masks.WeightMasks = field(default_factory=dict)
    inferred: tuple[str, ...] = ()
    wanted: Wanted | None = None

    def checkpoint(self, convention: InputConvention | None = None) -> Checkpoint:
        """It as a checkpoint of this package.

        Args:
            convention: How the network wants its images, if that is known; default: as the
                published weights of such a network do, which is written down as inferred.
        """
        inferred = self.inferred
        if convention is None and self.wanted is not None:
            convention = self.wanted.convention
            inferred += (f'images are normalised as {self.wanted.whose} wants them',)
        return Checkpoint(
            state_dict=self.state_dict,
            architecture=self.architecture.to_dict(),
            provenance=Provenance(
                arm=AFTER_CONVERSION,
                seed=None,
                data=None,
                versions=versions(),
                config_digest=None,
                parent=self.parent,
                pruner=None,
                inferred=inferred,
            ),
            input_convention=convention,
            masks=self.masks,
        )


def convert_checkpoint(
    source: str | os.PathLike,
    base: PrunedArchitecture | Mapping | str | os.PathLike | None = None,
    subnet: str | os.PathLike | None = None,
    zeros: float | None = None,
    ema: bool = False,
) -> Converted:
    """Read a checkpoint of another tool.

    Args:
        source: The checkpoint: a state dict, bare or wrapped, of a network that is whole or cut.
        base: What the network was before it was cut: an architecture, or a name that
            :func:`~.known_networks.load_base` knows; default: the network that
            :func:`~.known_networks.identify` finds by the tensors, if it is whole.
        subnet: File that says which channels were kept, see :func:`~.subnet.read_subnet`. The
            weights may be cut already, or still be the whole network's.
        zeros: Take layers with at least this share of exact zeros for masked ones.
        ema: Take the weights that were averaged over the training.

    Raises:
        UserError: A file that is missing, damaged or unsafe, or weights that are not those of
            such a network; names the tensor.

    Example:
        >>> import torch, torchvision
        >>> torch.save(torchvision.models.resnet18().state_dict(), 'foreign.pth')
        >>> from rethink_det import convert_checkpoint
        >>> converted = convert_checkpoint('foreign.pth')
        >>> converted.inferred
        ('the base is resnet18 of torchvision.models.resnet18, by its tensors',)
        >>> converted.checkpoint().write('resnet18.pth')
    """
    foreign = _foreign_tensors(source, ema)
    tensors, masks = fold_masks(foreign, source)
    tensors, selections = split_selections(tensors)
    declared = identify(tensors, source) if base is None else load_base(base)
    library, whole = foreign_model(declared.backbone), tensors
    tensors, done = (tensors, []) if library is None else library.renamed(tensors)
    own = shapes_of(declared)
    state = renamed(tensors, own, source)
    sized = with_classes(declared, state)
    otherwise = base is not None and library is None and read_otherwise(tensors, sized, source)
    notes = _notes(declared, sized, otherwise or None)
    notes += done
    if base is None:
        notes.insert(0, f'the base is {declared.name} of {declared.source}, by its tensors')
    known = None if subnet is None else read_subnet(subnet, replace(sized.base, name=sized.name))
    try:
        if library is not None:
            masks = {library.name_of(name): mask for name, mask in masks.items()}
        reads = {layer_of(n): inputs for n, inputs in renamed(selections, own, source).items()}
        architecture, fitted = _fitted(sized, state, reads, known, notes)
        network = architecture.network_with(fitted)
        if library is not None and architecture == sized.base and known is None:
            check_same(library, whole, network)
        kept = _masks(network, renamed(masks, own, source), zeros, notes)
        weight_masks.check_fit(network, kept)
    except UserError as error:
        raise UserError(f'{source}: {error}') from None
    parent = Parent(file_name(source), None, digest(foreign), len(foreign))
    return replace(
        _converted(architecture, network, parent, kept, notes), wanted=wanted_by(declared)
    )


def _converted(
    architecture: PrunedArchitecture,
    network: nn.Module,
    parent: Parent,
    masks: Mapping[str, Tensor],
    notes: Sequence[str],
) -> Converted:
    """The network, what it is with its masks, and what was said of it."""
    state = {name: tensor.detach() for name, tensor in network.state_dict().items()}
    architecture = replace(architecture, masks=weight_masks.describe(masks) if masks else {})
    return Converted(architecture, state, parent, masks, tuple(notes))


def _foreign_tensors(source: str | os.PathLike, ema: bool) -> Mapping[str, Tensor]:
    """The tensors of another tool's file, all of them finite."""
    content = load_checkpoint(source)
    if describes_itself(content):
        raise UserError(f'{source} describes itself already: use it as it is.')
    foreign = tensors_of(content, source, ema)
    check_finite(foreign, source)
    return foreign


def _notes(
    declared: PrunedArchitecture, sized: PrunedArchitecture, other: PrunedArchitecture | None
) -> list[str]:
    """What the tensors tell beside what was declared, and what they leave open."""
    classes = f'there are {sized.head["num_classes"]} classes' if sized != declared else ''
    return [line for line in (classes, _undecided(sized, other) if other else '') if line]


def _undecided(declared: PrunedArchitecture, other: PrunedArchitecture) -> str:
    """That another network has the same tensors."""
    ours, theirs = ({k: repr(v) for k, v in one.backbone.items()} for one in (declared, other))
    different = [
        f'{key} {theirs.get(key, _DEFAULT)} there, {ours.get(key, _DEFAULT)} here'
        for key in dict.fromkeys([*theirs, *ours])
        if theirs.get(key) != ours.get(key)
    ]
    return (
        f'the tensors are called and shaped as those of {other.name} ({other.source}), which '
        f'computes something else with them than the base ({"; ".join(different)}): no tensor '
        'tells which of the two was trained'
    )


def _fitted(
    declared: PrunedArchitecture,
    state: Mapping[str, Tensor],
    reads: Mapping[str, tuple[int, ...]],
    known: Mapping[str, Kept] | None,
    notes: list[str],
) -> tuple[PrunedArchitecture, Mapping[str, Tensor]]:
    """The architecture that the weights have, or that they are to be cut to, and the weights."""
    parent = replace(declared.base, name=declared.name)
    if known and _fits(parent, state):
        return _cut(parent, state, known, notes)
    if known is None and reads in ({}, declared.selections) and _fits(declared, state):
        return declared, state
    architecture = infer(parent, state, reads)
    if known is not None:
        architecture = replace(architecture, channels=_agreed(architecture, known, notes))
    counted = [layer for layer, kept in architecture.channels.items() if isinstance(kept, int)]
    if counted:
        notes.append(f'of {len(counted)} layers how many channels they keep is known, not which')
    if architecture.removed_blocks:
        notes.append(f'{len(architecture.removed_blocks)} blocks are without a residual branch')
    if reads:
        notes.append(f'{len(reads)} layers read a selection of the channels before them')
    return architecture, state


def _fits(architecture: PrunedArchitecture, state: Mapping[str, Tensor]) -> bool:
    shapes = {n: s for n, s in shapes_of(architecture).items() if not n.endswith(COUNTER)}
    return shapes == {n: tuple(t.shape) for n, t in state.items() if not n.endswith(COUNTER)}


def _cut(
    parent: PrunedArchitecture,
    state: Mapping[str, Tensor],
    known: Mapping[str, Kept],
    notes: list[str],
) -> tuple[PrunedArchitecture, Mapping[str, Tensor]]:
    counted = next((layer for layer, kept in known.items() if isinstance(kept, int)), None)
    if counted:
        raise UserError(
            f'the weights are those of the whole network, and of {counted} it is said how many '
            'channels are kept, not which: give the weights after the cut, which mmrazor writes '
            'by tools/pruning/get_static_model_from_algorithm.py.'
        )
    notes.append('the weights were those of the whole network, and are cut')
    order = {layer: known[layer] for layer in parent.widths if layer in known}
    architecture = replace(parent, channels=order, name='')
    try:
        return architecture, architecture.inherit(state)
    except UserError as error:
        coupled = replace(architecture, coupled=True)
        try:
            return coupled, coupled.inherit(state)
        except UserError as other:
            raise UserError(f'{error} As coupled groups: {other}') from error


def _agreed(
    architecture: PrunedArchitecture, known: Mapping[str, Kept], notes: list[str]
) -> dict[str, Kept]:
    """What is known of the channels, if the weights have as many."""
    said = known if architecture.coupled else {**architecture.channels, **known}
    for layer in said:
        width, has = architecture.widths[layer], architecture.kept(layer)
        wanted = known.get(layer, width)
        wanted = wanted if isinstance(wanted, int) else len(wanted)
        if wanted != has:
            raise UserError(
                f'{layer} has {has} channels, but the subnet keeps {wanted} of {width}.'
            )
    silent = [layer for layer in architecture.channels if layer not in known]
    if silent:  # of coupled groups, whose other layers are said
        notes.append(f'the subnet says nothing of {len(silent)} layers, first {silent[0]}')
        return dict(architecture.channels)
    return {layer: known[layer] for layer in architecture.channels}


def _masks(
    network: nn.Module, given: weight_masks.WeightMasks, zeros: float | None, notes: list[str]
) -> weight_masks.WeightMasks:
    """The masks that came with the weights, or those of their zeros where asked for."""
    if zeros is not None and not given:
        masks = masks_of_zeros(network, zeros)
        notes.append(f'the zeros in {len(masks)} layers are masks')
        return masks
    sparse = [name for name, share in share_of_zeros(network).items() if share >= ZEROS]
    if sparse and not given:
        notes.append(
            f'{len(sparse)} layers, first {sparse[0]}, have {ZEROS:.0%} exact zeros or more; they '
            'are weights like all others, unless masks are asked for'
        )
    return given
