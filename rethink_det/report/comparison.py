"""Which two arms a claim is about, on which metric."""

from dataclasses import dataclass, field

from rethink_det.arms import ARMS, STAGES
from rethink_det.report.schema import one_of


@dataclass(frozen=True)
class Comparison:
    """Two arms of one model and the metric by which they are compared.

    Attributes:
        stage: One of ``STAGES``.
        model: Name of what was trained, as in the rows.
        arm: The arm whose difference to the baseline is asked for.
        baseline: The arm that it is compared with.
        metric: By its name in the rows, ``'accuracy/top1'``.
    """

    stage: str = field(metadata=one_of(STAGES))
    model: str
    arm: str
    baseline: str
    metric: str

    def __str__(self) -> str:
        """In prose: ``Scratch-B against fine-tuning (classification, resnet56)``."""
        sides = [ARMS.label(self.stage, arm) for arm in (self.arm, self.baseline)]
        place = ', '.join(filter(None, (self.stage, self.model)))
        return f'{sides[0]} against {sides[1]} ({place})'
