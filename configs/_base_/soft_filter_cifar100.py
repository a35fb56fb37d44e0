"""Soft filter pruning of a CIFAR ResNet on CIFAR-100, which is normalised by its own statistics."""

_base_ = ['cifar100.py', 'schedule_soft_filter.py', 'classifier_soft_filter.py']

model = dict(
    head=dict(num_classes=100),
    data_preprocessor=dict(mean=[129.3, 124.1, 112.4], std=[68.2, 65.4, 70.4]),
)
train_dataloader = dict(batch_size=128)
