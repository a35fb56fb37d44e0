"""A pruned network in a file."""

import pytest

from rethink_det.architecture.checkpoint import save_checkpoint


@pytest.fixture
def small_checkpoint(cifar, tmp_path):
    """A pruned network with fresh weights, which says nothing of its images."""
    architecture = cifar(channels={'layer1.0.conv1': 2})
    state = architecture.build_network().state_dict()
    path = tmp_path / 'small.pth'
    save_checkpoint({'meta': {'architecture': architecture.to_dict()}, 'state_dict': state}, path)
    return path
