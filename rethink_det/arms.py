"""Arms: the ways to obtain a trained small network, in one table. An arm is data.

An arm of ``classification`` ends in a trained classifier, one of ``detection`` (a transfer arm)
in a trained detector, one of ``segmentation`` in a trained segmenter. Budgets, plans, statistics,
reports and the command line read this table and know no arm by name; to add one is to add an
entry, or to call ``ARMS.register``.

Sources: Rethinking the Value of Network Pruning (arXiv 1810.05270), sections 3 and 4.5
(fine-tuning, "Prune-C", "Prune-D", "Scratch-E", "Scratch-B"). ``lottery`` is the winning ticket
of The Lottery Ticket Hypothesis (arXiv 1803.03635), whose control, the same architecture or mask
drawn anew, is ``scratch-e``; the learning rate that decides between them is the config's own,
``optim_wrapper.optimizer.lr=0.01`` for the small one. ``rewind`` is learning-rate rewinding
(Comparing Rewinding and Fine-tuning, arXiv 2003.02389, section 2): all that tells it from its
rival, ``scratch-e``, is the weights. ``random`` is the control of Rethinking ImageNet Pre-training
(arXiv 1811.08883); ``unpruned-d`` and ``scratch-d`` are those of ``prune-d``.
"""

from rethink_det.arm_table import (
    AT,
    CLASSIFICATION,
    DETECTION,
    SEGMENTATION,
    STAGES,
    UNIQUE,
    Arm,
    ArmTable,
    BudgetRule,
    Role,
    Start,
)

__all__ = [
    'AFTER_CONVERSION', 'AFTER_PRUNING', 'ARMS', 'AT', 'BEFORE_TRAINING', 'CLASSIFICATION',
    'DETECTION', 'SEGMENTATION', 'STAGES', 'STEPS', 'UNIQUE', 'Arm', 'ArmTable', 'BudgetRule',
    'Role', 'Start',
]  # fmt: skip

AFTER_PRUNING, AFTER_CONVERSION, BEFORE_TRAINING = 'pruned', 'converted', 'initial'
STEPS = {
    AFTER_PRUNING: 'pruned and not trained since',
    AFTER_CONVERSION: 'converted from the file of another tool',
    BEFORE_TRAINING: 'the weights before the first step of training',
}
"""What stands in a provenance in the place of an arm, where a step that is none wrote the file."""

ARMS = ArmTable([
    Arm(
        'unpruned', CLASSIFICATION, 'the unpruned network',
        'the big network, which the others are pruned from',
        pruned=False, start=Start.RANDOM, budget=BudgetRule.BASE,
        role=Role.REFERENCE, usual=True,
    ),
    Arm(
        'fine-tune', CLASSIFICATION, 'fine-tuning',
        'inherited weights, a few epochs at a constant low learning rate',
        pruned=True, start=Start.INHERITED, budget=BudgetRule.FINE_TUNE,
        role=Role.BASELINE, usual=True,
    ),
    Arm(
        'scratch-e', CLASSIFICATION, 'Scratch-E',
        "weights drawn anew, the big network's epochs",
        pruned=True, start=Start.RANDOM, budget=BudgetRule.BASE,
        role=Role.CANDIDATE, usual=True,
    ),
    Arm(
        'scratch-b', CLASSIFICATION, 'Scratch-B',
        "weights drawn anew, the big network's compute: its epochs times the ratio of MACs",
        pruned=True, start=Start.RANDOM, budget=BudgetRule.STRETCHED,
        role=Role.CANDIDATE, usual=True,
    ),
    Arm(
        'scratch-total', CLASSIFICATION, 'Scratch-Total',
        'weights drawn anew, the compute of parent, pruning and fine-tuning together',
        pruned=True, start=Start.RANDOM, budget=BudgetRule.TOTAL,
        role=Role.CANDIDATE,
    ),
    Arm(
        'rewind', CLASSIFICATION, 'rewinding',
        "inherited weights, the big network's epochs and learning rate",
        pruned=True, start=Start.INHERITED, budget=BudgetRule.BASE,
        role=Role.CONTROL, rivals=('scratch-e', 'scratch-b'),
    ),
    Arm(
        'lottery', CLASSIFICATION, 'the lottery ticket',
        "the big network's own initial weights, pruned alike, for its epochs",
        pruned=True, start=Start.INITIAL, budget=BudgetRule.BASE,
        role=Role.CONTROL,
    ),
    Arm(
        'unpruned', DETECTION, 'the unpruned network',
        'backbone of the big classifier',
        pruned=False, start=Start.CLASSIFIER, budget=BudgetRule.BASE,
        role=Role.REFERENCE, source='unpruned', usual=True,
    ),
    Arm(
        'prune-c', DETECTION, 'Prune-C',
        'backbone pruned and fine-tuned on classification',
        pruned=True, start=Start.CLASSIFIER, budget=BudgetRule.BASE,
        role=Role.BASELINE, source='fine-tune', usual=True,
    ),
    Arm(
        'prune-d', DETECTION, 'Prune-D',
        'detector trained with the big backbone, pruned, then trained again',
        pruned=True, start=Start.DETECTOR, budget=BudgetRule.BASE,
        role=Role.CONTROL, source='unpruned', after_detector=True,
    ),
    Arm(
        'unpruned-d', DETECTION, 'Unpruned-D',
        'detector trained with the big backbone, not pruned, then trained as long again',
        pruned=False, start=Start.DETECTOR, budget=BudgetRule.BASE,
        role=Role.CONTROL, source='unpruned', after_detector=True, rivals=('prune-d',),
    ),
    Arm(
        'scratch-e', DETECTION, 'Scratch-E',
        "pruned backbone, trained from scratch on classification for the big one's epochs",
        pruned=True, start=Start.CLASSIFIER, budget=BudgetRule.BASE,
        role=Role.CANDIDATE, source='scratch-e', usual=True,
    ),
    Arm(
        'scratch-b', DETECTION, 'Scratch-B',
        "pruned backbone, trained from scratch on classification with the big one's compute",
        pruned=True, start=Start.CLASSIFIER, budget=BudgetRule.BASE,
        role=Role.CANDIDATE, source='scratch-b', usual=True,
    ),
    Arm(
        'scratch-d', DETECTION, 'Scratch-D',
        'pruned detector without any weights, the compute of both trainings of Prune-D',
        pruned=True, start=Start.RANDOM, budget=BudgetRule.TOTAL,
        role=Role.CANDIDATE, after_detector=True, rivals=('prune-d',),
    ),
    Arm(
        'random', DETECTION, 'random weights',
        'pruned backbone without any weights: the detector is its first training',
        pruned=True, start=Start.RANDOM, budget=BudgetRule.BASE,
        role=Role.CONTROL, usual=True,
    ),
    Arm(
        'unpruned', SEGMENTATION, 'the unpruned network',
        'backbone of the big classifier',
        pruned=False, start=Start.CLASSIFIER, budget=BudgetRule.BASE,
        role=Role.REFERENCE, source='unpruned', usual=True,
    ),
    Arm(
        'prune-c', SEGMENTATION, 'Prune-C',
        'backbone pruned and fine-tuned on classification',
        pruned=True, start=Start.CLASSIFIER, budget=BudgetRule.BASE,
        role=Role.BASELINE, source='fine-tune', usual=True,
    ),
    Arm(
        'scratch-e', SEGMENTATION, 'Scratch-E',
        "pruned backbone, trained from scratch on classification for the big one's epochs",
        pruned=True, start=Start.CLASSIFIER, budget=BudgetRule.BASE,
        role=Role.CANDIDATE, source='scratch-e', usual=True,
    ),
    Arm(
        'scratch-b', SEGMENTATION, 'Scratch-B',
        "pruned backbone, trained from scratch on classification with the big one's compute",
        pruned=True, start=Start.CLASSIFIER, budget=BudgetRule.BASE,
        role=Role.CANDIDATE, source='scratch-b', usual=True,
    ),
    Arm(
        'random', SEGMENTATION, 'random weights',
        'pruned backbone without any weights: the segmenter is its first training',
        pruned=True, start=Start.RANDOM, budget=BudgetRule.BASE,
        role=Role.CONTROL, usual=True,
    ),
])  # fmt: skip
"""All arms, by stage and name."""
