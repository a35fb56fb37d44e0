"""Transfer arms: the ways to obtain a detector's backbone. An arm is data.

Source: Rethinking the Value of Network Pruning (arXiv 1810.05270), section 4.5 ("Prune-C",
"Prune-D", "Scratch-E", "Scratch-B"); ``random`` is the control of Rethinking ImageNet
Pre-training (arXiv 1811.08883).
"""

from dataclasses import dataclass

from rethink_det.errors import UserError


@dataclass(frozen=True)
class TransferArm:
    """One way to obtain the backbone a detector starts from.

    Attributes:
        name: As in the paper, lower case.
        pruned: Whether the backbone has the pruned architecture.
        source: Classification arm whose trained backbone is transferred; ``None`` if the
            detector starts from random weights.
        whole: Whether it is a whole detector whose weights are taken: one that was trained with
            the backbone of ``source`` and pruned thereafter.
    """

    name: str
    pruned: bool
    source: str | None
    whole: bool = False

    @property
    def needs(self) -> str | None:
        """In words, what its weights are those of; ``None`` if it takes none."""
        if self.source is None:
            return None
        return 'pruned detector' if self.whole else 'trained classifier'

    @property
    def keeps_statistics(self) -> bool:
        """Whether the backbone comes with BatchNorm statistics of its own shape."""
        return self.source is not None and not self.whole

    @property
    def frozen_settings(self) -> dict:
        """Backbone settings that this arm forbids to stay at their ImageNet defaults.

        Random weights must not be frozen, nor BatchNorm kept at statistics of nothing: all of
        it is trained (``norm_cfg.requires_grad`` as well). The same goes for a network that was
        cut and not trained since: its statistics are those of the uncut one, and a frozen stage
        could never make up for what it lost. A GPU's few images make poor statistics, so with
        several GPUs take ``sync_bn``
        (:class:`~rethink_det.detection.transfer.settings.TransferSettings`).
        The other arms have statistics of the classifier's data, and keep what the detector's
        config says.
        """
        return {} if self.keeps_statistics else {'frozen_stages': -1, 'norm_eval': False}


TRANSFER_ARMS = {
    arm.name: arm
    for arm in (
        TransferArm('unpruned', pruned=False, source='unpruned'),
        TransferArm('prune-c', pruned=True, source='fine-tune'),
        TransferArm('prune-d', pruned=True, source='unpruned', whole=True),
        TransferArm('scratch-e', pruned=True, source='scratch-e'),
        TransferArm('scratch-b', pruned=True, source='scratch-b'),
        TransferArm('random', pruned=True, source=None),
    )
}


def get_transfer_arm(name: str) -> TransferArm:
    """The transfer arm of that name.

    Raises:
        UserError: Unknown name; lists the known ones.
    """
    if name not in TRANSFER_ARMS:
        raise UserError(f'Unknown transfer arm {name!r}; known are {", ".join(TRANSFER_ARMS)}.')
    return TRANSFER_ARMS[name]
