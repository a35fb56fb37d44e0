"""A detector as files that mmdet runs without this package, compared before they are written.

A config of mmdet's types, the weights, and where layers are narrower than mmdet builds them a
small module that makes them so.
"""

import inspect
import os
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from pprint import pformat
from typing import Any

import torch
from jinja2 import Template
from mmengine.config import Config
from mmengine.model import BaseModel, revert_sync_batchnorm
from torch import Tensor

from rethink_det import __version__
from rethink_det.architecture.checkpoint import DATA_SET, Checkpoint, save_checkpoint
from rethink_det.architecture.provenance import versions
from rethink_det.architecture.state_dicts import META
from rethink_det.classification.arm_config import is_classifier
from rethink_det.detection.load_detector import load_detector, self_contained
from rethink_det.detection.one_image import OneImage
from rethink_det.detection.ssd_head import EvaluatedSSDHead
from rethink_det.errors import UserError, in_one_line
from rethink_det.export import plain_modules
from rethink_det.export.heads import tensors_of
from rethink_det.export.plain_config import NARROWED, SSD, PlainConfig, plain_config
from rethink_det.files import save_text
from rethink_det.registered import build, scope_of
from rethink_det.registry import MODELS
from rethink_det.transfer.adapted import Change

TOLERANCE = 1e-5
"""Of the largest output: how far the written detector may be from this package's."""

SIDES = (256, 320, 512)
"""Of the random image that both look at, the first that will do: detectors with 900 queries need
as many places, and those with many maps a larger one."""

_NEEDED = re.compile('torch|(onedl-)?mm(engine|det|detection|cv|cv-lite)')
"""What a written detector runs on."""

_CONFIG = Template(
    '''"""{{ name }}, pruned: a detector of mmdet.

Written by rethink_det {{ own }}, which is not needed.
Tried with {{ tried }}. How it was trained is not here.

    from mmdet.apis import inference_detector, init_detector
    detector = init_detector({{ config.__repr__() }}, {{ weights.__repr__() }}, device='cpu')
    inference_detector(detector, 'picture.jpg').pred_instances
"""
{% if imports %}
import sys

sys.path.insert(0, '{{ '{{' }} fileDirname {{ '}}' }}')  # where the module lies
custom_imports = dict(imports={{ imports.__repr__() }}, allow_failed_imports=False)
{% endif %}{% for key, value in values %}
{{ key }} = {{ value }}
{%- endfor %}
''',
    keep_trailing_newline=True,
)
_MODULE = Template(
    '''"""Modules of written detectors that mmdet has not.

Written by rethink_det {{ own }}, which is not needed.
"""

from collections.abc import Mapping
from typing import Any

from mmdet.models import SSDHead
from mmengine.registry import MODELS
from torch import nn


{{ narrowed }}

@MODELS.register_module(force=True)
class {{ ssd }}''',
    keep_trailing_newline=True,
)
"""The same for all, since a process imports one of those that have the same name."""


@dataclass(frozen=True)
class PlainDetector:
    """What was written.

    Attributes:
        path: The config.
        weights: The checkpoint beside it: weights and names of classes.
        module: The module beside it; None where mmdet's own modules do.
        changes: What is different from the config that trained the detector.
        difference: How far what its heads put out is from this package's, as a share of the
            largest, on a random image.
    """

    path: Path
    weights: Path
    module: Path | None
    changes: tuple[Change, ...]
    difference: float


def export_plain(
    config: Config,
    checkpoint: str | os.PathLike,
    out: str | os.PathLike | None = None,
    ema: bool = False,
) -> PlainDetector:
    """Write a detector that runs in mmdet without this package.

    Args:
        config: That trained it.
        checkpoint: Its weights.
        out: The config that is written, a ``.py`` file, or a folder for it; default: as of
            :func:`plain_path`. Weights and module come beside it.
        ema: Take the weights that were averaged over the training.

    Raises:
        UserError: The checkpoint cannot be read or is none of the config, which may be no
            detector's; something in it is this package's alone (names the key); or mmdet's modules
            compute something else. Nothing is written then.
    """
    path = plain_path(checkpoint, out)
    if is_classifier(config):
        raise UserError('export --plain is for detectors of mmdet; of a classifier take --onnx.')
    read = Checkpoint.read(checkpoint, ema)
    whole = self_contained(config, read)
    detector = load_detector(whole, read).eval()
    found = plain_config(whole, detector)
    state = {name: tensor.detach().clone() for name, tensor in detector.state_dict().items()}
    difference = _difference(found, detector, state, checkpoint)
    module = module_path(path) if found.has(NARROWED) or found.has(SSD) else None
    imports = [*_imports_of_others(config), *([module.stem] if module else [])]
    save_checkpoint({'state_dict': state, 'meta': _classes(read, found)}, path.with_suffix('.pth'))
    if module:
        save_text(_module_text(), module)
    save_text(_config_text(found, path, imports), path)
    return PlainDetector(path, path.with_suffix('.pth'), module, found.changes, difference)


def plain_path(checkpoint: str | os.PathLike, out: str | os.PathLike | None) -> Path:
    """Which config :func:`export_plain` writes; arguments as there.

    By default it is ``plain/`` beside the checkpoint, under its name.

    Raises:
        UserError: Its name does not end in ``.py``, or its weights would be the checkpoint itself.
    """
    source = Path(checkpoint)
    path = source.parent / 'plain' if out is None else Path(out)
    if not path.suffix or path.is_dir() or str(out).endswith(os.sep):
        path = path / f'{source.stem}.py'
    if path.suffix != '.py':
        raise UserError(f'{path}: the name of a config ends in .py; or name a folder.')
    if path.with_suffix('.pth').resolve() == source.resolve():
        raise UserError(f'{path}: its weights would be {checkpoint} itself: name another -o.')
    return path


def module_path(path: Path) -> Path:
    """The module beside a written config."""
    return path.with_name(f'modules_of_{re.sub(r"[^0-9A-Za-z]", "_", path.stem)}.py')


@torch.no_grad()
def _difference(
    found: PlainConfig,
    detector: BaseModel,
    state: Mapping[str, Tensor],
    checkpoint: str | os.PathLike,
) -> float:
    """Between what the heads put out for a random image, relative to the largest."""
    config = Config(deepcopy(found.values))
    with scope_of(config, 'mmdet'):
        plain = revert_sync_batchnorm(build(MODELS, config.model)).eval()
        plain.load_state_dict(state)
        ours, theirs = _looks(detector, plain, checkpoint)
    difference = _farthest(ours, theirs)
    if not difference <= TOLERANCE:
        raise UserError(
            f"{checkpoint}: mmdet's own modules with its weights compute something else, by "
            f'{difference:.1e} of the largest output: please report it.'
        )
    return difference


def _looks(
    detector: BaseModel, plain: BaseModel, checkpoint: str | os.PathLike
) -> tuple[list[Tensor], list[Tensor]]:
    """What the heads of both put out for the same image."""
    refused = ''
    for side in SIDES:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            image = torch.randn(1, 3, side, side)
        try:
            ours, theirs = (OneImage(one)(image) for one in (detector, plain))
            return [*tensors_of(ours)], [*tensors_of(theirs)]
        except Exception as error:  # detectors are anyone's code
            refused = in_one_line(error)
    raise UserError(
        f'{checkpoint}: the detector cannot be compared, it does not run on a random image of '
        f'{side}x{side}: {refused}'
    )


def _farthest(ours: list[Tensor], theirs: list[Tensor]) -> float:
    if not ours or [one.shape for one in ours] != [one.shape for one in theirs]:
        return float('inf')
    pairs = zip(ours, theirs, strict=True)
    scale = max(float(one.abs().max()) for one in ours if one.numel())
    return max(float((a.float() - b.float()).abs().max()) for a, b in pairs if a.numel()) / max(
        scale, 1e-12
    )


def _classes(read: Checkpoint, found: PlainConfig) -> dict[str, Any]:
    """The names of the classes: as the checkpoint has them, else the test data."""
    known = (read.others.get(META) or {}).get(DATA_SET)
    data = found.values['test_dataloader'].get('dataset') or {}
    known = known or data.get('metainfo')
    return {DATA_SET: dict(known)} if known else {}


def _imports_of_others(config: Config) -> list[str]:
    imports = (config.get('custom_imports') or {}).get('imports') or []
    names = [imports] if isinstance(imports, str) else imports
    return [name for name in names if name.partition('.')[0] != 'rethink_det']


def _config_text(found: PlainConfig, path: Path, imports: list[str]) -> str:
    values = found.values.items()
    return _CONFIG.render(
        name=found.values['model']['type'].rpartition('.')[2],
        own=__version__,
        tried=', '.join(
            f'{one} {number}' for one, number in versions().items() if _NEEDED.fullmatch(one)
        ),
        config=path.name,
        weights=path.with_suffix('.pth').name,
        imports=imports,
        values=[(key, pformat(value, width=96, sort_dicts=False)) for key, value in values],
    )


def _module_text() -> str:
    return _MODULE.render(
        own=__version__,
        narrowed=inspect.getsource(plain_modules.narrowed_module),
        ssd=inspect.getsource(EvaluatedSSDHead).partition('class ')[2],
    )
