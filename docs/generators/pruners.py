"""A page a pruner: what its module's docstring says of paper, deviation, numbers; and its API."""

import re
import sys

from docs.generators.roles import linked
from docs.generators.tables import table
from rethink_det.pruning import __all__ as public
from rethink_det.registry import PRUNERS

PARTS = {'Paper': 'The paper', 'Deviation': 'What differs here', 'Expected': 'Expected numbers'}
"""Parts of the docstring of a module that has a pruner, and their titles."""
LIST = """# Pruners

`--pruner` of `rethink-det prune`, `type` of a study's `pruner`.

"""
PAGE = """# {name}

{summary}

{parts}
## In Python and in configs

::: rethink_det.pruning.{name}
    options: {{heading_level: 3}}
"""
_PART = re.compile(rf'^({"|".join(PARTS)}): ?', re.MULTILINE)
_ARXIV = re.compile(r'arXiv\s+(\d{4}\.\d{4,5})')


def pages() -> dict[str, str]:
    """The pages, by their paths, and one that lists them.

    Raises:
        ValueError: A docstring lacks a part.
    """
    found, rows = {}, []
    for name in (one for one in public if one in PRUNERS.module_dict):
        told = sections(sys.modules[PRUNERS.get(name).__module__].__doc__, name)
        parts = [f'## {title}\n\n{_markdown(told[part])}\n' for part, title in PARTS.items()]
        found[f'pruners/{name}.md'] = PAGE.format(
            name=name, summary=told[''], parts='\n'.join(parts)
        )
        papers = dict.fromkeys(_ARXIV.findall(told['Paper']))
        links = ', '.join(f'[{paper}](https://arxiv.org/abs/{paper})' for paper in papers)
        rows.append((f'[`{name}`]({name}.md)', told[''], links))
    return {'pruners/index.md': LIST + table(('pruner', 'removes', 'arXiv'), rows), **found}


def sections(docstring: str | None, name: str) -> dict[str, str]:
    """The first line of a docstring, under no name, and its parts.

    Args:
        docstring: Of a module.
        name: Whose it is, for messages.

    Raises:
        ValueError: It lacks a part.
    """
    summary, *rest = _PART.split(docstring or '')
    parts = {title: text.strip() for title, text in zip(rest[::2], rest[1::2], strict=True)}
    missing = [title for title in PARTS if not parts.get(title)]
    if missing or not summary.strip():
        lacking = ', '.join(f'{one}:' for one in missing) or 'a first line'
        raise ValueError(f'{name}: the docstring of its module lacks {lacking}')
    return {'': summary.strip(), **parts}


def _markdown(text: str) -> str:
    """A part of a docstring; indented lines that begin with a name are a list."""
    links = _ARXIV.sub(r'[arXiv \1](https://arxiv.org/abs/\1)', linked(text[:1].upper() + text[1:]))
    return re.sub(r'^ {4}(?=``)', '\n* ', links, flags=re.MULTILINE)
