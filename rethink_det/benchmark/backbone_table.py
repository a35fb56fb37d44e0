"""The table of a sweep over backbones, and what it comes to in a sentence."""

from collections.abc import Mapping

from rethink_det.benchmark.sweep import ERROR, Outcome, versions_of

NEAR = 0.05
"""How far the multiply-adds that are left may be from Torch-Pruning's, relative to these."""

HALVED = 0.375
"""What halving all widths leaves at the most where there is nothing to compare with: a quarter of
what convolutions and linear layers compute, half of what depthwise ones and attention do."""

AS_PEER, LESS, WIDER, ALONE, MORE, BROKEN, REFUSED = VERDICTS = (
    "as Torch-Pruning's",
    "halved, less than Torch-Pruning's",
    "halved, more than Torch-Pruning's",
    'halved; Torch-Pruning has none that runs',
    'less went than half of all widths',
    'pruned, but does not work',
    'refused',
)
"""What can come of a network."""


def verdict(outcome: Outcome) -> str:
    """Which of :data:`VERDICTS` a network is."""
    if ERROR in outcome:
        return REFUSED
    if any(outcome['works'].values()):
        return BROKEN
    left, peer = outcome['left'], outcome.get('peer')
    if peer is not None and abs(left - peer) <= NEAR * peer:
        return AS_PEER
    if left > HALVED and (peer is None or left > peer):
        return MORE
    if peer is None:
        return ALONE
    return LESS if left < peer else WIDER


def reason(outcome: Outcome) -> str:
    """Why a network is not what it should be; empty if it is."""
    kind = verdict(outcome)
    if kind == REFUSED:
        return str(outcome[ERROR])
    if kind == BROKEN:
        return '; '.join(f'{step}: {why}' for step, why in outcome['works'].items() if why)
    return ' '.join(outcome['said']) if kind == MORE else ''


def table(outcomes: Mapping[str, Outcome]) -> str:
    """All networks as a Markdown table, and how many there are of each kind."""
    kinds = [verdict(outcome) for outcome in outcomes.values()]
    counted = '; '.join(f'{kinds.count(kind)} {kind}' for kind in VERDICTS if kind in kinds)
    lines = [
        f'{len(outcomes)} networks: {counted}.',
        '',
        versions_of(outcomes),
        '',
        '| network | GMACs | left | Torch-Pruning | seconds | its | |',
        '|---|---|---|---|---|---|---|',
        *(_row(name, outcome) for name, outcome in outcomes.items()),
    ]
    return '\n'.join(lines) + '\n'


def _row(name: str, outcome: Outcome) -> str:
    macs = outcome.get('macs')
    cells = [
        name,
        '' if macs is None else f'{macs / 1e9:.2f}',
        _number(outcome.get('left'), '.3f'),
        _number(outcome.get('peer'), '.3f', 'fails' if 'peer_error' in outcome else ''),
        _number(outcome.get('seconds'), '.1f'),
        _number(outcome.get('peer_seconds'), '.1f'),
        f'{verdict(outcome)}. {_short(reason(outcome))}'.strip(),
    ]
    return '| ' + ' | '.join(cell.replace('|', '/') for cell in cells) + ' |'


def _number(value: float | None, form: str, otherwise: str = '') -> str:
    return otherwise if value is None else format(value, form)


def _short(text: str, most: int = 160) -> str:
    return text if len(text) <= most else f'{text[: most - 3]}...'
