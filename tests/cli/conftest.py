"""A tiny classifier's config as a file, and bad checkpoints."""

import os

import pytest
import torch

from rethink_det.architecture.checkpoint import save_checkpoint
from rethink_det.classification.arm_config import classifier_architecture


@pytest.fixture
def classifier(tiny_config, tmp_path):
    """Writes the config of a tiny classifier to a file."""

    def write(name='classifier.py', dataset=None, **changes):
        config = tiny_config(**changes)
        if dataset:
            for split in ('train', 'val', 'test'):
                config[f'{split}_dataloader'].dataset = dataset
        config.dump(tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def trained(tiny_config, tmp_path):
    """A checkpoint of the tiny classifier, with fresh weights."""
    torch.manual_seed(0)
    architecture = classifier_architecture(tiny_config())
    state = architecture.build_network().state_dict()
    path = tmp_path / 'trained.pth'
    save_checkpoint({'meta': {'architecture': architecture.to_dict()}, 'state_dict': state}, path)
    return path


class Payload:
    """Unpickled, it makes a folder: proof that code was run."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.fixture(params=['missing', 'truncated', 'text', 'empty', 'malicious', 'malicious-legacy'])
def bad_checkpoint(request, trained, tmp_path):
    """A checkpoint that must not be read; afterwards no code of it has run."""
    path, proof = tmp_path / 'bad.pth', tmp_path / 'code-was-run'
    if request.param == 'truncated':
        path.write_bytes(trained.read_bytes()[:-2000])
    elif request.param == 'text':
        path.write_text('these are no weights\n')
    elif request.param == 'empty':
        path.touch()
    elif request.param.startswith('malicious'):
        zipped = request.param == 'malicious'
        content = {'meta': {}, 'state_dict': {'backbone.conv1.weight': Payload(proof)}}
        torch.save(content, path, _use_new_zipfile_serialization=zipped)
    yield path
    assert not proof.exists()
