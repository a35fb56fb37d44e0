"""What ``--arm-settings`` may say about a detector's training.

Sources: Rethinking ImageNet Pre-training (arXiv 1811.08883), section 3: from random weights a
detector needs normalisation that works in small batches, and more epochs.
"""

import re
from dataclasses import dataclass, replace

from mmengine.config import Config

from rethink_det.arms import ARMS, DETECTION, Arm
from rethink_det.errors import UserError
from rethink_det.training import Budget

LONGEST = 6


@dataclass(frozen=True)
class TransferSettings:
    """Settings of a transfer arm.

    Attributes:
        schedule: ``'1x'``: the config's own, which every arm trains by, so that arms differ in
            their backbones alone. ``random`` may take ``'2x'`` to ``'6x'``: so many times the
            epochs of the config, of which the learning rate is low in the last ones only. The
            drops keep the distance from the end that they have at 2x: of mmdet's 12 epochs
            with drops at 8 and 11, 6x makes 72 with drops at 64 and 70. (Section 3 of the
            paper: "we always reduce the learning rate by 10x in the last 60k and last 20k
            iterations respectively, no matter how many total iterations", of 90k to the 1x.)
        sync_bn: Compute the statistics of every BatchNorm over the images of all GPUs (SyncBN),
            the paper's remedy for two images a GPU; it matters where BatchNorm is trained. It
            needs GPUs and ``--launcher``: in a single process it changes nothing.
        untuned: Take a network that was pruned and not fine-tuned, where the arm has one that
            was: what the inherited weights are worth as they are. Its BatchNorm statistics are
            those of the uncut network, so nothing of it is frozen.
    """

    schedule: str = '1x'
    sync_bn: bool = False
    untuned: bool = False

    def apply(self, config: Config, arm: Arm) -> None:
        """Write them into a detector's config, in place.

        Raises:
            UserError: Unknown schedule, or a longer one for an arm with weights, or the config
                does not train by epochs.
        """
        times = re.fullmatch(rf'([1-{LONGEST}])x', str(self.schedule))
        if times is None:
            raise UserError(f'Unknown schedule {self.schedule!r}; known are 1x to {LONGEST}x.')
        if times[1] != '1' and arm.takes_weights:
            drawn = ', '.join(other.name for other in ARMS.of(DETECTION) if not other.takes_weights)
            raise UserError(
                f'schedule={self.schedule} is for arm {drawn}: arm {arm.name} trains by the '
                "config's own, as all arms that are compared do."
            )
        if times[1] != '1':
            lengthened(Budget.of(config), int(times[1])).apply(config)
        if self.sync_bn:
            config.sync_bn = 'torch'  # MMEngine converts the model when it goes distributed


def lengthened(base: Budget, times: int) -> Budget:
    """A budget ``times`` as long, with the drops as far from the end as at twice the length.

    Schedulers without milestones are stretched as a whole.
    """
    longer = base.scaled(base.epochs * times)
    pairs = zip(base.schedulers, longer.schedulers, strict=True)
    schedulers = [
        {**new, 'milestones': [longer.epochs - 2 * (base.epochs - m) for m in old['milestones']]}
        if 'milestones' in old and old.get('by_epoch', True)
        else new
        for old, new in pairs
    ]
    return replace(longer, schedulers=tuple(schedulers))
