"""A classifier as plain timm code: a file that makes the network, and its weights beside it.

Neither needs this package, and both are compared with the network before they are written.
"""

import inspect
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from pprint import pformat
from typing import Any

import torch
from jinja2 import Template
from torch import Tensor, nn

from rethink_det import __version__
from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.convert.foreign_models import TIMM, foreign_model, library_settings, whole_model
from rethink_det.convert.foreign_tensors import ForeignModel
from rethink_det.errors import UserError
from rethink_det.export import timm_network
from rethink_det.export.narrowing import changed_numbers
from rethink_det.files import replacing, save_text

TOLERANCE = 1e-5
"""Of the largest score: how far the written network may be from this package's."""

_TEXT = Template(
    '''"""{{ name }} of timm {{ version }}, pruned.

{{ params }} parameters, {{ macs }} multiply-adds at {{ size }}.
Written by rethink_det {{ own_version }}, which is not needed.
{{ images }}
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

ATTRIBUTES: dict[str, dict[str, Any]] = {{ attributes }}
"""What the modules that are narrower than timm's say of themselves."""


def create_model(weights: str | Path | None = None, **settings: Any) -> nn.Module:
    """The network, with its weights, in evaluation mode.

    Args:
        weights: Their file; default: {{ weights }} beside this one.
        **settings: Of timm.create_model, what changes no weight: drop_rate, ...
    """
    path = weights or Path(__file__).with_name({{ weights.__repr__() }})
    state = torch.load(path, map_location='cpu', weights_only=True)['state_dict']
    model = timm.create_model(
        {{ model.__repr__() }}, num_classes={{ classes }}, **{**{{ settings }}, **settings}
    )
    return narrowed(model, ATTRIBUTES, state).eval()


{{ narrowed }}''',
    keep_trailing_newline=True,
)


@dataclass(frozen=True)
class TimmFile:
    """What was written.

    Attributes:
        path: The factory.
        weights: The state dict beside it.
        difference: How far its scores are from this package's, as a share of the largest.
    """

    path: Path
    weights: Path
    difference: float


def export_timm(
    checkpoint: str | os.PathLike, out: str | os.PathLike | None = None, ema: bool = False
) -> TimmFile:
    """Write a classifier of timm as a factory and weights that need timm alone.

    Args:
        checkpoint: Its weights; its backbone is a ``TimmBackbone`` with ``classifier_input``.
        out: The factory, a ``.py`` file; default: beside the checkpoint, under its name.
        ema: Take the weights that were averaged over the training.

    Raises:
        UserError: The checkpoint cannot be read, is of something else, or has lost what plain
            timm code cannot leave out. Nothing is written then.
    """
    path = timm_path(checkpoint, out)
    read = Checkpoint.read(checkpoint, ema)
    architecture = PrunedArchitecture.load(read)
    library = _of_timm(architecture, checkpoint)
    network = architecture.network_with(read.weights).eval()
    own = network.state_dict()
    state = library.restored({name: tensor.detach() for name, tensor in own.items()})
    attributes = _attributes(library, network.backbone.get_submodule('network'), state)
    classes = len(own['head.fc.weight'])
    difference = _difference(library, architecture, network, attributes, state)
    if not difference <= TOLERANCE:
        raise UserError(
            f'{checkpoint}: plain timm code with its weights scores an image otherwise, by '
            f'{difference:.1e} of the largest score: please report it.'
        )
    weights = path.with_suffix('.pth')
    text = _text(library, architecture, attributes, classes, weights.name, read.input_convention)
    with replacing(weights) as file:
        torch.save({'state_dict': state, 'meta': {}}, file)
    save_text(text, path)
    return TimmFile(path, weights, difference)


def timm_path(checkpoint: str | os.PathLike, out: str | os.PathLike | None) -> Path:
    """Which file :func:`export_timm` writes; arguments as there.

    Raises:
        UserError: Its name is none of a module, or its weights would be the checkpoint itself.
    """
    path = Path(checkpoint).with_suffix('.py') if out is None else Path(out)
    if path.suffix != '.py' or not path.stem.replace('-', '_').isidentifier():
        raise UserError(f'{path}: a factory is a module, whose name is a word and ends in .py.')
    if path.with_suffix('.pth').resolve() == Path(checkpoint).resolve():
        raise UserError(f'{path}: its weights would be {checkpoint} itself: name another -o.')
    return path


def _of_timm(architecture: PrunedArchitecture, where: str | os.PathLike) -> ForeignModel:
    library = foreign_model(architecture.backbone)
    if library is None or not library.name.startswith(f'{TIMM}.'):
        raise UserError(
            f'{where}: a {architecture.backbone["type"]} is no network of timm as timm classifies '
            'by it: that is one made by convert --base timm.NAME, or a TimmBackbone with '
            'classifier_input=True.'
        )
    head = library.classifier.head(architecture.head.get('num_classes', 1))
    if architecture.head['type'] != head['type']:
        raise UserError(
            f'{where}: its head is a {architecture.head["type"]}, and {library.name} has what is '
            f'here {head["type"]}.'
        )
    if architecture.removed_blocks or architecture.selections:
        raise UserError(
            f'{where}: blocks are removed, or layers select their inputs, which plain timm code '
            'cannot say.'
        )
    return library


def _attributes(
    library: ForeignModel, pruned: nn.Module, state: Mapping[str, Tensor]
) -> dict[str, dict[str, Any]]:
    """What modules say of themselves that says otherwise in the whole network."""
    _, _, name = library.name.partition('.')
    base = whole_model(TIMM, name, num_classes=0, **library_settings(library.backbone))
    whole: dict[str, Any] = dict(base.named_modules())
    own: dict[str, Any] = dict(pruned.named_modules())
    found = {}
    for path, module in whole.items():
        ours: Any = own.get(path)
        if type(ours) is not type(module):
            raise UserError(f'{library.name}: {path} became a {type(ours).__name__}.')
        changed = changed_numbers(module, ours)
        found.update({path: changed} if changed else {})
    reads = state[f'{library.classifier.layers[0]}.weight'].shape[1]
    for layer in library.classifier.layers:
        found[layer] = {_READS[state[f'{layer}.weight'].dim()]: reads}
    for norm in library.classifier.norms:
        found[norm] = {'num_features': reads}
    if isinstance(getattr(base, 'num_features', None), int):
        found.setdefault('', {})['num_features'] = reads
    return found


_READS = {2: 'in_features', 4: 'in_channels'}
"""What a last layer calls the number of its inputs, by the dimensions of its weight."""


@torch.no_grad()
def _difference(
    library: ForeignModel,
    architecture: PrunedArchitecture,
    network: nn.Module,
    attributes: Mapping[str, Mapping[str, Any]],
    state: Mapping[str, Tensor],
) -> float:
    """Between the scores of a random image, relative to the largest."""
    _, _, name = library.name.partition('.')
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        classes = len(network.state_dict()['head.fc.weight'])
        settings = library_settings(library.backbone)
        whole = whole_model(TIMM, name, num_classes=classes, **settings)
        image = torch.randn(1, *architecture.input_shape)
    theirs = timm_network.narrowed(whole, attributes, state).eval()(image)
    ours = network(image)
    return float((theirs - ours).abs().max() / ours.abs().max().clamp(min=1e-12))


def _text(
    library: ForeignModel,
    architecture: PrunedArchitecture,
    attributes: Mapping[str, Mapping[str, Any]],
    classes: int,
    weights: str,
    convention: InputConvention | None,
) -> str:
    cost = architecture.cost()
    images = f'Images: {convention}.' if convention else 'How its images are normalised is unknown.'
    return _TEXT.render(
        name=library.name.partition('.')[2],
        model=library.name.partition('.')[2],
        version=version(TIMM),
        own_version=__version__,
        params=f'{cost.params:,}',
        macs=f'{cost.macs:,}',
        size='x'.join(map(str, architecture.input_shape)),
        images=images,
        attributes=pformat(dict(attributes), width=96, sort_dicts=False),
        classes=classes,
        weights=weights,
        settings=repr(library_settings(library.backbone)),
        narrowed=inspect.getsource(timm_network.narrowed),
    )
