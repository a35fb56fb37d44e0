"""The findings as a page of text."""

from collections.abc import Mapping
from typing import Any

from rethink_det.doctor.finding import Finding

MOST = 12
"""Length of the lists that the page shows."""


def page(findings: Mapping[str, Finding]) -> str:
    """Findings by section: facts, then what works here, then what does not and what to do."""
    lines = []
    for name, finding in findings.items():
        lines += [name, *(f'  {key:<22} {_text(fact)}' for key, fact in finding.facts.items())]
    abilities = [ability for finding in findings.values() for ability in finding.abilities]
    lines += ['', 'Works here', *(f'  {ability.what}' for ability in abilities if ability.works)]
    wanting = [ability for ability in abilities if not ability.works]
    if wanting:
        lines += ['', 'Does not work here']
    for ability in wanting:
        lines += [f'  {ability.what}', f'    -> {ability.remedy}']
    return '\n'.join(lines)


def _text(fact: Any) -> str:
    if isinstance(fact, Mapping):
        return ', '.join(f'{key} {_text(value)}' for key, value in fact.items()) or 'none'
    if isinstance(fact, bool):
        return 'yes' if fact else 'no'
    if not isinstance(fact, (list, tuple)):
        return str(fact)
    if len(fact) > MOST:
        return f'{len(fact)} (--json lists them)'
    return ', '.join(map(str, fact)) or 'none'
