"""The table of a sweep over mmdet's configs, and what it comes to in a sentence."""

import re
from collections.abc import Mapping

from rethink_det.benchmark.sweep import ERROR, Outcome, versions_of

BOTH, LOST, GAINED, NEITHER = VERDICTS = (
    'works',
    'works in plain mmdet alone',
    'works with the pruned backbone alone',
    'works in neither',
)
"""What can come of a config."""

_FOLDER = re.compile(r"(?<![\w.])/(?:[^\s'\"/]+/)+")
"""Where a file lies on the machine that was asked: nobody else has it there."""


def verdict(outcome: Outcome) -> str:
    """Which of :data:`VERDICTS` a config is."""
    plain, ours = (_failed(outcome, key) is None for key in ('plain', 'ours'))
    if plain:
        return BOTH if ours else LOST
    return GAINED if ours else NEITHER


def table(outcomes: Mapping[str, Outcome]) -> str:
    """All configs as a Markdown table, and how many there are of each kind."""
    kinds = [verdict(outcome) for outcome in outcomes.values()]
    plain = kinds.count(BOTH) + kinds.count(LOST)
    share = f' ({kinds.count(BOTH) / plain:.1%})' if plain else ''
    folders = len({name.partition('/')[0] for name in outcomes})
    lines = [
        f'{len(outcomes)} configs of {folders} folders: plain mmdet trains and evaluates {plain}, '
        f'{kinds.count(BOTH)} of these{share} with the pruned backbone as well, and '
        f'{kinds.count(GAINED)} others.',
        '',
        versions_of(outcomes),
        '',
        '| config | plain mmdet | pruned backbone | |',
        '|---|---|---|---|',
        *(_row(name, outcome) for name, outcome in outcomes.items()),
    ]
    return '\n'.join(lines) + '\n'


def _row(name: str, outcome: Outcome) -> str:
    plain, ours = (_failed(outcome, key) for key in ('plain', 'ours'))
    why = ours or plain or ''
    return f'| {name} | {_mark(plain)} | {_mark(ours)} | {_cell(why)} |'


def _failed(outcome: Outcome, key: str) -> str | None:
    return str(outcome[ERROR]) if ERROR in outcome else outcome[key]


def _mark(why: str | None) -> str:
    return 'yes' if why is None else 'refused' if why.startswith('refused') else 'no'


def _cell(text: str) -> str:
    return ' '.join(_FOLDER.sub('', text).replace('|', '/').split())[:240]
