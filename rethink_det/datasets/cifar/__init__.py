"""CIFAR-10 and CIFAR-100 as their authors publish them: pickles or binary, packed or not."""

from rethink_det.datasets.cifar.dataset import CIFAR10, CIFAR100

__all__ = ['CIFAR10', 'CIFAR100']
