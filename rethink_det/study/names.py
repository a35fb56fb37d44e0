"""The names of studies, of a whole one and of a part of it, and of what they train.

A row of a paper's table is one variant of a study. Its name is that of the study with the
variant put in, set off by ``-`` or ``_``: ``paper/cifar10_resnet56_l1norm-a`` is variant
``l1norm-a`` of ``paper/cifar10_resnet56``, and ``..._lottery-l1norm-a_small-lr`` is
``lottery-l1norm-a`` of ``..._small-lr``. What the names of several variants begin with means all
of them: ``paper/cifar10_resnet56_l1norm``.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rethink_det.errors import UserError
from rethink_det.training.config import config_file, find_config, load_config


def model_name(config: str, variant: str = '') -> str:
    """The name of what is trained: its config's, with that of the variant if there are several."""
    return '/'.join(filter(None, (Path(config).stem, variant)))


def find_study(name: str) -> tuple[str, tuple[str, ...]]:
    """The file of a study, and which of its variants are meant.

    Args:
        name: Path of a study config or the name of a shipped one (``demo``); or either with a
            variant put in.

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
        known = variants_in(file) if file else []
        chosen = _meant(part, known)
        if file and chosen:
            return file, chosen
        near = near or (known and f'{study} has no variant {part!r}: {", ".join(known)}')
    if near:
        raise UserError(f'Config {name} does not exist, and {near}.')
    return find_config(name, 'studies'), ()


def _meant(part: str, known: Sequence[str]) -> tuple[str, ...]:
    """The variant of that name, or else those whose names begin with it."""
    if part in known:
        return (part,)
    return tuple(name for name in known if name.startswith((f'{part}-', f'{part}_')))


def variants_in(file: str) -> list[str]:
    """Names of the variants of a study config; none if it has none, or is no study."""
    node = load_config(file)
    for key in ('study', 'classification'):
        node = node.get(key)
        if not isinstance(node, Mapping):
            return []
    return list({**(node.get('pruners') or {}), **(node.get('variants') or {})})


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
