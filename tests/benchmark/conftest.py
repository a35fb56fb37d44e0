"""A small architecture in a file, and a training of it."""

import pytest

from rethink_det.benchmark.workload import Workload


@pytest.fixture
def small(cifar, tmp_path):
    """The file of a small architecture."""
    path = tmp_path / 'small.json'
    cifar().save(path)
    return path


@pytest.fixture
def workload(small):
    """That architecture on two batches of noise, the second one smaller."""
    return Workload(str(small), 12, 8)
