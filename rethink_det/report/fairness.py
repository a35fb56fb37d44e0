"""What two arms shared and what they did not: how fair it is to compare them.

Source: Why is the State of Neural Network Pruning so Confusing? (arXiv 2301.05219), whose names for
the setups of published comparisons these are. Of it was known here: it orders setups by what both
sides share, from S1 to S4.2, with SX-A and SX-B beside; it asks for one base model and for one
learning rate schedule; and its Scratch-B trains long enough to make up for the fine-tuning as well
(issue 2 of its repository), where ours makes up for the parent's training alone. The wording of
its table was not at hand. Each rung therefore is what :data:`RUNGS` and :data:`SCRATCH_RUNGS` say,
and nothing else:

=======  =========================================================================================
rung     what both arms share
=======  =========================================================================================
S1       the training data
S2       S1, and the parent
S3.1     S2, and the epochs
S3.2     S3.1, and the tuning, learning rate, schedule, batch size, optimizer, augmentation,
         precision, and whether a step was computed together with those of other runs
S4.1     S3.2, and the pruning: method, options, rounds
S4.2     S4.1, and the training compute, by itself and with all that led to it
SX-A     one arm starts from random weights, the other does not: the training data
SX-B     SX-A, and the training compute with all that led to it
=======  =========================================================================================
"""

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, TypeAlias

from rethink_det.arms import ARMS, Start
from rethink_det.report.run_result import RunResult
from rethink_det.report.training_facts import ALONE, FLOAT32, TrainingFacts
from rethink_det.report.units import count

SAME_COMPUTE = 0.05
"""By which share two computes may differ: whole epochs and milestones do not divide exactly."""
PAPER = 'arXiv 2301.05219'

SCHEDULE = ('epochs', 'learning rate', 'schedule')
"""What a schedule is."""
RECIPE = (
    'tuning', 'learning rate', 'schedule', 'batch size', 'optimizer', 'augmentation', 'precision',
    'computation of a step',
)  # fmt: skip
RUNGS: Mapping[str, tuple[str, ...]] = {
    'S1': ('training data',),
    'S2': ('parent',),
    'S3.1': ('epochs',),
    'S3.2': RECIPE,
    'S4.1': ('pruning',),
    'S4.2': ('training compute', 'total training compute'),
}
"""What a rung adds to the one before."""
SCRATCH_RUNGS: Mapping[str, tuple[str, ...]] = {
    'SX-A': ('training data',),
    'SX-B': ('total training compute',),
}
"""Those of an arm from random weights against one from others' weights."""


@dataclass(frozen=True)
class Fairness:
    """What two arms have in common.

    Attributes:
        rung: Of the ladder above; None where not even the training data are known to be shared.
        shared: The facts that are the same in both.
        differing: Those that are not.
        unknown: Those that the runs do not tell.
        values: What differs, by its name, of both arms in words; not all of it can be said so.
    """

    rung: str | None
    shared: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    values: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def same_schedule(self) -> bool:
        """Whether both are known to have trained by one schedule."""
        return all(fact in self.shared for fact in SCHEDULE)

    @property
    def sentence(self) -> str:
        """In plain prose."""
        if not self.shared and not self.differing:
            return 'What the two arms shared is not known.'
        rung = 'no setting' if self.rung is None else f'setting {self.rung}'
        told = [f'On the ladder of {PAPER}, as it is read here, this is {rung}']
        told += [f'both arms share {_listed(self.shared)}'] if self.shared else []
        differing = [self._told(fact) for fact in self.differing]
        told += [f'they differ in {_listed(differing)}'] if differing else []
        told += [f'not known: {_listed(self.unknown)}'] if self.unknown else []
        return '; '.join(told) + '.'

    def _told(self, fact: str) -> str:
        values = self.values.get(fact)
        return fact if values is None else f'{fact} ({values[0]} against {values[1]})'


def fairness(runs: Sequence[RunResult], others: Sequence[RunResult]) -> Fairness:
    """How fair it is to compare two arms.

    Args:
        runs: Those of one arm that the comparison takes.
        others: Those of the other.
    """
    told = {name: (tell(runs), tell(others)) for name, tell in FACTS.items()}
    alone = {run.counts_backbone_alone for run in (*runs, *others)}
    if len(alone) > 1:  # that of a detector and that of a backbone
        told |= dict.fromkeys(COMPUTES, (None, None))
    same = {name: _same(name, *sides) for name, sides in told.items()}
    for name, ordinary in UNSAID.items():
        if told[name] in ordinary:
            same.pop(name)
    shared, differing, unknown = (
        tuple(name for name in same if same[name] is wanted) for wanted in (True, False, None)
    )
    words = {name: _in_words(name, *told[name]) for name in differing if name not in DIGESTS}
    if alone == {True}:
        backbones = ((name, words[name]) for name in COMPUTES if name in words)
        words |= {
            name: (f'{one} of the backbone', f'{other} of the backbone')
            for name, (one, other) in backbones
        }
    ladder = SCRATCH_RUNGS if _one_from_scratch(runs, others) else RUNGS
    rung = _rung(ladder, (*differing, *unknown))
    return Fairness(rung, shared, differing, unknown, words)


def _rung(ladder: Mapping[str, tuple[str, ...]], lacking: Sequence[str]) -> str | None:
    """The highest rung below which, and on which, nothing is lacking."""
    reached = None
    for rung, needed in ladder.items():
        if set(needed) & set(lacking):
            return reached
        reached = rung
    return reached


def _one_from_scratch(runs: Sequence[RunResult], others: Sequence[RunResult]) -> bool:
    starts = [_from_scratch(side) for side in (runs, others)]
    return None not in starts and starts[0] != starts[1]


def _from_scratch(runs: Sequence[RunResult]) -> bool | None:
    """Whether the small network was first trained as it is; None of an arm that is not known."""
    for run in runs:
        arm = next((arm for arm in ARMS.of(run.stage) if arm.name == run.arm), None)
        if arm is None:
            return None
        trained = arm if arm.source is None or arm.whole else ARMS.source_of(arm)
        return trained.start is Start.RANDOM and not arm.whole
    return None


# -- facts -----------------------------------------------------------------------------------

Values: TypeAlias = frozenset[Any] | None
"""What the runs of an arm say; None if one of them does not, or there are none."""


def _each(tell: Callable[[RunResult], Hashable]) -> Callable[[Sequence[RunResult]], Values]:
    def values(runs: Sequence[RunResult]) -> Values:
        told = frozenset(map(tell, runs))
        return None if not told or None in told else told

    return values


def _fact(tell: Callable[[TrainingFacts], Hashable]) -> Callable[[Sequence[RunResult]], Values]:
    return _each(lambda run: None if run.training is None else tell(run.training))


def _data(facts: TrainingFacts) -> Hashable:
    known = facts.images is not None
    return (facts.data, facts.data_digest, facts.images) if known else None


def _pruning(run: RunResult) -> Hashable:
    """Method, options and rounds."""
    if run.training is None:
        return None
    return repr(sorted((run.pruner or {}).items())), run.training.prunings


FACTS: Mapping[str, Callable[[Sequence[RunResult]], Values]] = {
    'training data': _fact(_data),
    'parent': _each(lambda run: run.parent_digest),
    'epochs': _fact(lambda facts: facts.epochs),
    'tuning': _fact(lambda facts: ', '.join(facts.tuning) or 'none'),
    'learning rate': _fact(lambda facts: facts.lr),
    'schedule': _fact(lambda facts: facts.schedule),
    'batch size': _fact(lambda facts: facts.batch_size),
    'optimizer': _fact(lambda facts: facts.optimizer),
    'augmentation': _fact(lambda facts: facts.augmentation),
    'precision': _fact(lambda facts: facts.precision),
    'computation of a step': _fact(lambda facts: facts.computed or ALONE),
    'pruning': _each(_pruning),
    'training compute': _each(lambda run: run.train_macs),
    'total training compute': _each(lambda run: run.total_train_macs),
}
"""What is compared, and how the runs of an arm tell it."""
UNSAID: Mapping[str, tuple[tuple[Values, Values], ...]] = {
    'tuning': ((frozenset({'none'}), frozenset({'none'})),),
    'precision': ((frozenset({FLOAT32}), frozenset({FLOAT32})), (None, None)),
    'computation of a step': ((frozenset({ALONE}), frozenset({ALONE})), (None, None)),
}
"""What is not worth a word if both arms say it, or of precision if neither does."""
COMPUTES = ('training compute', 'total training compute')
DIGESTS = ('training data', 'parent', 'augmentation', 'pruning')
"""What says nothing to a reader."""


def _same(name: str, values: Values, others: Values) -> bool | None:
    if values is None or others is None:
        return None
    if name in COMPUTES:
        return math.isclose(fmean(values), fmean(others), rel_tol=SAME_COMPUTE)
    return values == others


def _in_words(name: str, *sides: Values) -> tuple[str, str]:
    if name in COMPUTES:
        one, other = (f'{count(fmean(values or ()))}MACs' for values in sides)
    else:
        one, other = (' or '.join(sorted(map(str, values or ()))) for values in sides)
    return one, other


def _listed(names: Iterable[str]) -> str:
    """``'a, b and c'``."""
    *most, last = names
    return f'{", ".join(most)} and {last}' if most else last
