"""What the lottery tickets at a small learning rate share: 0.01 in place of 0.1 in every arm."""

_base_ = 'study_cifar.py'

study = dict(
    classification=dict(
        arms=['unpruned', 'lottery', 'scratch-e'],
        options={'optim_wrapper.optimizer.lr': 0.01},
    ),
)
