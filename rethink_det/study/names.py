"""The names of studies, of a whole one and of a part of it, and of what they train.

A row of a paper's table is one variant of a study. Its name is that of the study with the
variant put in, set off by ``-`` or ``_``: ``paper/cifar10_resnet56_l1norm-a`` is variant
``l1norm-a`` of ``paper/cifar10_resnet56``, and ``..._lottery-l1norm-a_small-lr`` is
``lottery-l1norm-a`` of ``..._small-lr``. What the names of several variants begin with means all
of them: ``paper/cifar10_resnet56_l1norm``. Variants that the ratios and controls of a study stand
for have such names as well, ``curve_l1norm-0.3``; a control comes with the method whose widths it
has.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rethink_det.errors import UserError
from rethink_det.study.part import read_classification
from rethink_det.training.config import config_file, find_config, load_config


def model_name(config: str, variant: str = '') -> str:
    """The name of what is trained: its config's, with that of the variant if there are several."""
    return joined(Path(config).stem, variant)


def joined(*parts: str) -> str:
    """One name of several parts; those that are empty are left out."""
    return '/'.join(filter(None, parts))


def find_study(name: str, options: Mapping | None = None) -> tuple[str, tuple[str, ...]]:
    """The file of a study, and which of its variants are meant.

    Args:
        name: Path of a study config or the name of a shipped one (``demo``); or either with a
            variant put in.
        options: Keys of the study set to other values, dotted: its variants may follow from them.

    Returns:
        The file, and names of variants; none for the whole study.

    Raises:
        UserError: Nothing of that name; says which variants there are, or what was probably
            meant.
    """
    if config_file(name, 'studies') is not None:
        return find_config(name, 'studies'), ()
    near = None
    for study, part in _readings(name):
        file = config_file(study, 'studies')
        chosen, known = _meant(part, file, options) if file else ((), [])
        if file and chosen:
            return file, chosen
        near = near or (known and f'{study} has no variant {part!r}: {", ".join(known)}')
    if near:
        raise UserError(f'Config {name} does not exist, and {near}.')
    return find_config(name, 'studies'), ()


def _meant(part: str, file: str, options: Mapping | None) -> tuple[tuple[str, ...], Sequence[str]]:
    """The variant of that name, or else those whose names begin with it; and all there are."""
    said = _classification(file, options)
    spelled = _spelled(said)
    if part in spelled and not said.get('ratios'):
        return (part,), spelled
    if not _adds(said):
        return _chosen(part, spelled), spelled
    plan = read_classification(said, Path(file))
    chosen = _chosen(part, plan.variant_names)
    leaders = [plan.of(name).widths_of for name in chosen]
    names = [name for name in plan.variant_names if name in {*chosen, *leaders}]
    return tuple(names), plan.variant_names


def _chosen(part: str, known: Sequence[str]) -> tuple[str, ...]:
    if part in known:
        return (part,)
    return tuple(name for name in known if name.startswith((f'{part}-', f'{part}_')))


def _adds(said: Mapping) -> bool:
    """Whether there are more variants than are spelled out."""
    variants = said.get('variants')
    variants = variants.values() if isinstance(variants, Mapping) else ()
    own = [one for one in variants if isinstance(one, Mapping)]
    return bool(said.get('ratios')) or any(one.get('controls') for one in (said, *own))


def variants_in(file: str) -> list[str]:
    """Names of the variants that a study config spells out; none if it has none, or is no study."""
    return _spelled(_classification(file))


def _spelled(said: Mapping) -> list[str]:
    own = [said.get(key) for key in ('pruners', 'variants')]
    return list(dict.fromkeys(name for one in own if isinstance(one, Mapping) for name in one))


def _classification(file: str, options: Mapping | None = None) -> dict[str, Any]:
    """That part of a study config; empty if the file is no study."""
    config = load_config(file)
    if isinstance(config.get('study'), Mapping):
        config.merge_from_dict(dict(options or {}))
    node: Any = config.to_dict()
    for key in ('study', 'classification'):
        node = node.get(key)
        if not isinstance(node, Mapping):
            return {}
    return dict(node)


def _readings(name: str) -> Iterator[tuple[str, str]]:
    """(study, variant) for every part of a name that may be a variant, the shortest first."""
    folder, file = os.path.split(name)
    stem = file.removesuffix('.py')
    words = re.split('([-_])', stem)  # separators at odd places
    for length in range(1, len(words), 2):
        for start in range(len(words) - length, 1, -2):
            study = ''.join(words[: start - 1] + words[start + length :])
            yield (
                os.path.join(folder, study + file[len(stem) :]),
                ''.join(words[start : start + length]),
            )
