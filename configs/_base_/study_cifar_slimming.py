"""What the CIFAR studies of network slimming share: two shares of the channels."""

_base_ = 'study_cifar.py'

study = dict(
    classification=dict(
        pruners={
            '40': dict(type='NetworkSlimmingPruner', ratio=0.4, strictly_above=True),
            '60': dict(type='NetworkSlimmingPruner', ratio=0.6, strictly_above=True),
        },
    ),
)
