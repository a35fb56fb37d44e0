"""The page of everything that a study config may say, from the schema that reads it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field
from math import inf
from typing import Any, get_type_hints

import griffe

from docs.generators.roles import linked
from docs.generators.tables import table
from rethink_det.classification.arm_config import ArmSettings
from rethink_det.report.comparison import Comparison
from rethink_det.report.run_result import Reference
from rethink_det.report.schema import keys
from rethink_det.study.arm_plans import ArmPlan
from rethink_det.study.config import Study
from rethink_det.study.plans import (
    VARIANT_KEYS,
    ClassificationPlan,
    DetectionPlan,
    SegmentationPlan,
)

PAGE = 'study_keys.md'
PARTS: Mapping[str, type] = {
    'study': Study,
    'study.classification': ClassificationPlan,
    'study.detection[...]': DetectionPlan,
    'study.segmentation[...]': SegmentationPlan,
    'arms[...], where an entry is no name': ArmPlan,
    'study.classification.arm_settings': ArmSettings,
    'study.primary': Comparison,
    'reference[...]': Reference,
}
"""The parts of a study, and what reads each."""
INTRODUCTION = f"""# Every key of a study

`study = dict(...)` in a Python file, read by `rethink-det study`. A key without a default must be
said, but for `name`; one that does not stand here is refused. An entry of `variants` may say
{', '.join(f'`{key}`' for key in VARIANT_KEYS)}.
"""


def pages() -> dict[str, str]:
    """The page, by its path."""
    head = ('key', 'type', 'default', 'what it says')
    parts = [f'## `{place}`\n\n{table(head, rows(kind))}' for place, kind in PARTS.items()]
    return {PAGE: '\n'.join([INTRODUCTION, *parts])}


def rows(kind: type) -> Iterator[tuple[str, str, str, str]]:
    """Of each key of a part its name, type, default and meaning.

    Args:
        kind: The dataclass that reads the part.

    Raises:
        ValueError: A key is not explained in the docstring of the class.
    """
    hints, meanings = get_type_hints(kind), _meanings(kind)
    for field in keys(kind):
        if field.name not in meanings:
            raise ValueError(f'{kind.__name__}: its docstring does not explain {field.name}')
        said = field.metadata.get('said_as', hints[field.name])
        yield f'`{field.name}`', _type(said, field), _default(field), meanings[field.name]


def _meanings(kind: type) -> dict[str, str]:
    """What the docstrings of a class and of its parents say of attributes."""
    found: dict[str, str] = {}
    for one in reversed(kind.__mro__[:-1]):
        docstring = griffe.Docstring(one.__doc__ or '')
        for part in docstring.parse('google', warnings=False):
            if part.kind is griffe.DocstringSectionKind.attributes:
                found |= {item.name: linked(item.description) for item in part.value}
    return found


def _type(hint: Any, field: Field) -> str:
    """A type in Python's words, without the names of modules, and its bounds."""
    words = hint.__name__ if isinstance(hint, type) else re.sub(r'(\w+\.)+(?=\w)', '', str(hint))
    least, most = field.metadata.get('within', (-inf, inf))
    bounds = [f'≥ {least:g}'] * (least > -inf) + [f'≤ {most:,}'] * (most < inf)
    one_of = ', '.join(f'`{one}`' for one in field.metadata.get('one_of', ()))
    return ', '.join(filter(None, (f'`{words}`', *bounds, one_of)))


def _default(field: Field) -> str:
    if field.default_factory is not MISSING:
        return f'`{field.default_factory()!r}`'
    return '' if field.default is MISSING else f'`{field.default!r}`'
