"""What the CIFAR studies of weight-level pruning share: two shares of the weights."""

_base_ = 'study_cifar.py'

study = dict(
    classification=dict(
        pruners={
            'magnitude-30': dict(type='MagnitudePruner', ratio=0.3, strictly_above=True),
            'magnitude-60': dict(type='MagnitudePruner', ratio=0.6, strictly_above=True),
        },
    ),
)
