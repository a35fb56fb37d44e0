"""Say what is installed, found and possible here, and what to do about the rest."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rethink_det.doctor import Finding, examine
from rethink_det.files import plain

MOST = 12
"""Length of the lists that the page shows."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('--json', action='store_true', help='print JSON, with nothing left out')


def run(options: argparse.Namespace) -> int:
    """Examine and print; 2 if something is missing without which nothing works."""
    findings = examine()
    essential_missing = any(finding.essential_missing for finding in findings.values())
    if options.json:
        checks = {name: plain(asdict(finding)) for name, finding in findings.items()}
        answer = {'essential_missing': essential_missing, 'checks': checks}
        print(json.dumps(answer, indent=1, ensure_ascii=False))
    else:
        print(page(findings))
    return 2 if essential_missing else 0


def page(findings: Mapping[str, Finding]) -> str:
    """The findings for reading: facts, then what works here, then what does not and why."""
    lines = []
    for name, finding in findings.items():
        lines += [name, *(f'  {key:<22} {_show(fact)}' for key, fact in finding.facts.items())]
    abilities = [ability for finding in findings.values() for ability in finding.abilities]
    lines += ['', 'Works here', *(f'  {ability.what}' for ability in abilities if ability.works)]
    wanting = [ability for ability in abilities if not ability.works]
    if wanting:
        lines += ['', 'Does not work here']
    for ability in wanting:
        lines += [f'  {ability.what}', f'    -> {ability.remedy}']
    return '\n'.join(lines)


def _show(fact: Any) -> str:
    if isinstance(fact, Mapping):
        return ', '.join(f'{key} {_show(value)}' for key, value in fact.items()) or 'none'
    if isinstance(fact, bool):
        return 'yes' if fact else 'no'
    if not isinstance(fact, (list, tuple)):
        return str(fact)
    if len(fact) > MOST:
        return f'{len(fact)} (--json lists them)'
    return ', '.join(map(str, fact)) or 'none'
