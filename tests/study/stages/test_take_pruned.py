"""A network that was pruned elsewhere is taken as it is, or refused."""

from dataclasses import replace

import pytest
import torch

from rethink_det.architecture import Cut, PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint, digest
from rethink_det.classification.arm_config import classifier_architecture
from rethink_det.errors import UserError
from rethink_det.study.stages.take_pruned import given_pruned
from tests.checkpoints import checkpoint


@pytest.fixture
def cut(tiny_config):
    """A pruned network of the tiny classifier's, and its weights."""
    whole = classifier_architecture(tiny_config())
    small = whole.after(Cut(channels={'layer1.0.conv1': (0, 2)}))
    torch.manual_seed(0)
    return small, small.build_network().state_dict()


def test_what_describes_itself_keeps_its_weights_and_names_what_it_was(tiny_config, cut, tmp_path):
    architecture, state = cut
    own = checkpoint(state, architecture, arm='fine-tune')
    own.write(tmp_path / 'own.pth')
    taken = given_pruned(tiny_config(), str(tmp_path / 'own.pth'), tuned=True)
    assert digest(taken.state_dict) == digest(state)
    assert PrunedArchitecture.load(taken) == architecture
    assert (taken.provenance.arm, taken.provenance.parent.arm) == ('converted', 'fine-tune')


def test_bare_tensors_are_read_by_their_shapes(tiny_config, cut, tmp_path):
    architecture, state = cut
    torch.save(state, tmp_path / 'bare.pth')
    taken = given_pruned(tiny_config(), str(tmp_path / 'bare.pth'), tuned=False)
    assert digest(taken.state_dict) == digest(state)
    assert PrunedArchitecture.load(taken).widths == architecture.widths
    assert taken.provenance.arm == 'pruned'


@pytest.mark.parametrize(
    'arm, tuned, words',
    [
        ('pruned', True, 'not trained since it was pruned: say untuned=True'),
        ('fine-tune', False, 'of arm fine-tune: it is tuned, so leave out untuned'),
    ],
)
def test_what_says_otherwise_is_refused(tiny_config, cut, tmp_path, arm, tuned, words):
    checkpoint(cut[1], cut[0], arm=arm).write(tmp_path / 'own.pth')
    with pytest.raises(UserError, match=words):
        given_pruned(tiny_config(), str(tmp_path / 'own.pth'), tuned)


def test_a_whole_network_and_one_of_another_are_refused(tiny_config, cut, tmp_path):
    whole = classifier_architecture(tiny_config())
    checkpoint(whole.build_network().state_dict(), whole).write(tmp_path / 'whole.pth')
    with pytest.raises(UserError, match='whole.pth is a whole network: nothing of it was pruned'):
        given_pruned(tiny_config(), str(tmp_path / 'whole.pth'), tuned=True)
    checkpoint(cut[1], cut[0]).write(tmp_path / 'own.pth')
    wider = tiny_config()
    wider.model.backbone.base_channels = 6
    with pytest.raises(UserError, match='own.pth was not cut from the network of the config: .*'):
        given_pruned(wider, str(tmp_path / 'own.pth'), tuned=True)
    damaged = replace(Checkpoint.read(tmp_path / 'own.pth'), state_dict={'a': torch.zeros(1)})
    damaged.write(tmp_path / 'torn.pth')
    with pytest.raises(UserError):
        given_pruned(tiny_config(), str(tmp_path / 'torn.pth'), tuned=True)
