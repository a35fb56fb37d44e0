"""Studies with a known truth, and how often what is said of them is false.

``python -m tests.report.simulated`` prints the tables of docs/statistics.md.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from rethink_det.report import Comparison, RunResult, StudyResults, judge
from tests.report.rows import TOP1

MODELS = 3
ARMS = ('fine-tune', 'scratch-e', 'scratch-b')
CORRELATION = 0.5
"""Of two arms' scores on the same parent; a score's standard deviation is 1 point."""
MARGIN = 2.0
PRIMARY = Comparison('classification', 'm0', 'scratch-b', 'fine-tune', TOP1)
TRUTHS = {
    'no difference': (0.0,) * 6,
    'all at the margin': (MARGIN,) * 6,
    'mixed': (0.0, MARGIN, 0.0, MARGIN, MARGIN, 0.0),
    'primary alone': (0.0, MARGIN, 0.0, 0.0, 0.0, 0.0),
}
"""True differences of scratch-e and scratch-b of each model."""
CASES = (
    ('no difference', None),
    ('no difference', MARGIN),
    ('primary alone', None),
    ('all at the margin', MARGIN),
    ('mixed', None),
    ('mixed', MARGIN),
)
"""Truths, and margins with which they are judged."""


@dataclass(frozen=True)
class Design:
    """How a study repeats its runs.

    Attributes:
        paired: Whether the arms of a repetition share its parent.
        runs: Of each parent.
        failed: Share of runs that fail.
        given: Whether there is one parent, given, whose luck the fine-tuned runs inherit.
    """

    paired: bool = True
    runs: int = 1
    failed: float = 0.0
    given: bool = False


DESIGNS = {
    'paired': Design(),
    'unpaired': Design(paired=False),
    'three runs of each parent': Design(runs=3),
    'one given parent': Design(given=True),
    'paired, 15 % failed': Design(failed=0.15),
    'unpaired, 15 % failed': Design(paired=False, failed=0.15),
}


@dataclass(frozen=True)
class Simulated:
    """A study and, by model and arm, the true difference to the baseline, for its scope."""

    results: StudyResults
    truth: dict[tuple[str, str], float]

    def says_something_false(self, margin):
        """Whether a verdict claims what is not so, or for whom it cannot know it."""
        wrong = []
        for verdict in judge(self.results):
            true = self.truth[verdict.model, verdict.comparison.arm]
            wrong.append({
                'better': true <= 0,
                'worse': true >= 0,
                'equivalent': margin is None or abs(true) >= margin,
                'open': False,
            }[verdict.outcome])  # fmt: skip
            shared = any(run.parent_given for run in self.results.runs)
            wrong.append(shared and verdict.scope == 'method')
        return any(wrong)


def simulate(rng, n, design, truth, margin):
    """One study of three models by three arms."""
    runs, true = [], {}
    for number in range(MODELS):
        shifts = dict(zip(ARMS, (0.0, *truth[2 * number : 2 * number + 2]), strict=True))
        luck = rng.normal(0, 1, n)
        for place, arm in enumerate(ARMS):
            for repetition in range(n * design.runs):
                parent = repetition // design.runs
                common = luck[parent]
                if design.given:
                    common = luck[0] if arm == ARMS[0] else 0.0
                own = rng.normal()
                score = sqrt(CORRELATION) * common + sqrt(1 - CORRELATION) * own
                if not design.paired:
                    score = own
                alone = '' if design.paired else f'-{place}'
                runs.append(
                    RunResult(
                        'classification', arm, repetition + (0 if design.paired else 1000 * place),
                        {TOP1: 50 + score + shifts[arm]}, f'm{number}',
                        status='failed' if rng.random() < design.failed else 'completed',
                        parent_digest=f'{number}' if design.given else f'{number}-{parent}{alone}',
                        parent_given=design.given,
                    )
                )  # fmt: skip
            own_luck = sqrt(CORRELATION) * luck[0] if design.given else 0.0
            true[f'm{number}', arm] = shifts[arm] - own_luck
    margins = {} if margin is None else {TOP1: margin}
    return Simulated(StudyResults('s', runs, primary=PRIMARY, margin=margins), true)


def share_false(studies, n, design, truth, margin, seed=0):
    """Share of studies in which something false is said."""
    rng = np.random.default_rng((seed, n))
    each = (simulate(rng, n, design, truth, margin) for _ in range(studies))
    return sum(study.says_something_false(margin) for study in each) / studies


def power_of(studies, n, difference, margin=None, seed=1):
    """Share of studies of paired runs that settle the primary comparison, as what it is."""
    truth = (0.0, difference, 0.0, 0.0, 0.0, 0.0)
    right = 'equivalent' if difference == 0 else 'better'
    rng, found = np.random.default_rng((seed, n)), 0
    for _ in range(studies):
        study = simulate(rng, n, Design(), truth, margin)
        (primary,) = [verdict for verdict in judge(study.results) if verdict.primary]
        found += primary.outcome == right
    return found / studies


def main(studies=1000):
    """Print the tables."""
    counts = (2, 3, 5, 10)
    print('| truth | margin | design |', *(f'n = {n} |' for n in counts))
    print('|---|---|---|' + '---|' * len(counts))
    for words, margin in CASES:
        for name, design in DESIGNS.items():
            cells = [share_false(studies, n, design, TRUTHS[words], margin) for n in counts]
            shown = ' '.join(f'{100 * cell:.1f} % |' for cell in cells)
            print(f'| {words} | {margin or "none"} | {name} | {shown}', flush=True)
    print('\n| true difference | margin |', *(f'n = {n} |' for n in counts))
    print('|---|---|' + '---|' * len(counts))
    for difference, margin in ((1.0, None), (2.0, None), (4.0, None), (0.0, MARGIN)):
        cells = [power_of(studies, n, difference, margin) for n in counts]
        shown = ' '.join(f'{100 * cell:.0f} % |' for cell in cells)
        print(f'| {difference:g} | {margin or "none"} | {shown}', flush=True)


if __name__ == '__main__':
    main()
