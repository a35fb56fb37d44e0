"""The peer of a benchmark sees the same images, in a process of its own."""

import os
from functools import partial

import pytest
import torch

from rethink_det.benchmark.plain_pytorch import elsewhere, plain_loader
from rethink_det.benchmark.runner import NoiseImages
from rethink_det.benchmark.workload import MEAN, STD


def test_the_peer_sees_the_same_images_as_torchvision_gives_them(workload):
    labels = torch.cat([labels for _, labels in plain_loader(workload, 0)])
    images, expected = workload.noise()
    assert labels.bincount().equal(expected.bincount())
    assert NoiseImages(**vars(workload)).images.equal(images)
    darkest, brightest = ((value - torch.tensor(MEAN)) / torch.tensor(STD) for value in (0.0, 1.0))
    for batch, _ in plain_loader(workload, 0):
        assert batch.dtype == torch.float32 and batch.shape[1:] == (3, 16, 16)
        assert torch.allclose(batch.amin((0, 2, 3)), darkest)  # black borders
        assert (batch.amax((0, 2, 3)) <= brightest + 1e-5).all()


@pytest.mark.slow
def test_what_runs_elsewhere_changes_nothing_here_and_its_end_is_noticed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'folder').mkdir()
    with elsewhere(partial, os.chdir, 'folder') as call:
        call()
        assert os.getcwd() == str(tmp_path)
        with pytest.raises(EOFError):
            call()  # there is no folder in the folder
