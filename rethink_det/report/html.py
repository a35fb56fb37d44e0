"""Pages of HTML that are one file: no link leads out of them."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from rethink_det.report.plots.style import marker_svg

TEMPLATES = Path(__file__).parent / 'templates'
NO_BREAK = '\N{NO-BREAK SPACE}'
_TOGETHER = {
    ' ± ': '~±~',
    ' · ': '~· ',
    ' to ': ' to~',
    ' %': '~%',
    ' ×': '~×',
    'paired t': 'paired~t',
}
"""Spaces where no line ends, as ``~``."""


def render(template: str, **values: Any) -> str:
    """A page of a template in :data:`TEMPLATES`; texts stay texts, whatever is in them.

    Args:
        template: Name of its file.
        values: What it shows; ``title`` is the page's.
    """
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.filters['unbroken'] = unbroken
    jinja.globals['mark'] = lambda arm: Markup(marker_svg(arm))
    return jinja.get_template(template).render(values)


def unbroken(text: str) -> str:
    """``text`` that a narrow page breaks between numbers only, not in ``93.1 ± 0.2`` or ``5 %``."""
    for apart, together in _TOGETHER.items():
        text = text.replace(apart, together.replace('~', NO_BREAK))
    return text
