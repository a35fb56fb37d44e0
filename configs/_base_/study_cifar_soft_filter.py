"""What the studies of soft filter pruning share: no fine-tuning, and a longer Scratch-B.

It stretches 400 epochs, and the drops of 200.
"""

_base_ = 'study_cifar.py'

study = dict(
    classification=dict(
        pruner=dict(type='SoftFilterPruner'),
        arms=['unpruned', 'scratch-e', 'scratch-b'],
        arm_settings=dict(scratch_b_epochs=400),
    ),
)
