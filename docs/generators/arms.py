"""The page of the arms, from the table that everything else asks."""

from docs.generators.tables import table
from rethink_det.arms import ARMS, STAGES, Arm

PAGE = 'arms.md'
TITLES = {
    'classification': 'Of classifiers',
    'detection': 'Of detectors: transfer arms',
    'segmentation': 'Of segmenters',
}
INTRODUCTION = """# Arms

An arm is one way to obtain the trained small network. `rethink-det train --arm NAME` trains one,
`arms` of a study names those that it compares; those in bold a study has that names none.
"""


def pages() -> dict[str, str]:
    """The page, by its path."""
    head = ('arm', 'what it is', 'starts from', 'trains for', 'role')
    parts = [f'## {TITLES[stage]}\n\n{table(head, map(_row, ARMS.of(stage)))}' for stage in STAGES]
    return {PAGE: '\n'.join([INTRODUCTION, *parts])}


def _row(arm: Arm) -> tuple[str, ...]:
    name = f'**`{arm.name}`**' if arm.usual else f'`{arm.name}`'
    return name, arm.meaning, arm.start.value, arm.budget.value, arm.role.value
