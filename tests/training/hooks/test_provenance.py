"""Provenance of a run: the arm by its network, and the weights that it started from."""

import pytest
import torch
from mmengine.runner import Runner

from rethink_det import UserError
from rethink_det.architecture import Cut
from rethink_det.architecture.checkpoint import Checkpoint, digest
from rethink_det.architecture.provenance import Parent
from rethink_det.classification.arm_config import classifier_architecture
from rethink_det.training import ProvenanceHook
from rethink_det.training.config import name_arm
from rethink_det.training.launch import train
from rethink_det.training.resumable import last_checkpoint
from tests.checkpoints import checkpoint


def trained(config) -> Checkpoint:
    """What a training of a config leaves."""
    train(config)
    return Checkpoint.read(last_checkpoint(config.work_dir))


@pytest.fixture
def pruned_config(tiny_config, tmp_path):
    """Makes the config of a pruned network, as its user may have written it."""
    architecture = classifier_architecture(tiny_config()).after(
        Cut(channels={'layer1.0.conv1': (0, 2)})
    )
    architecture.save(tmp_path / 'small.json')

    def make(*arguments, **changes):
        config = tiny_config(*arguments, **changes)
        shape = str(tmp_path / 'small.json')
        config.model.backbone = dict(type='rethink_det.PrunedBackbone', architecture=shape)
        return config

    return make


def test_an_unpruned_network_is_of_the_unpruned_arm(tiny_config):
    provenance = trained(tiny_config(epochs=1)).provenance
    assert (provenance.arm, provenance.parent, provenance.seed) == ('unpruned', None, 1)


def test_a_pruned_network_is_of_the_arm_that_is_named_or_of_none(pruned_config):
    assert trained(pruned_config(epochs=1)).provenance.arm is None
    config = pruned_config('named', epochs=1)
    name_arm(config, 'scratch-e')
    assert trained(config).provenance.arm == 'scratch-e'


def test_a_config_without_provenance_is_left_alone(tiny_config):
    config = tiny_config(default_hooks=dict(provenance=None))
    name_arm(config, 'scratch-e')
    assert config.default_hooks.provenance is None


def test_an_unknown_arm_is_refused():
    with pytest.raises(UserError, match="Unknown arm 'scratch-z'; known are unpruned"):
        ProvenanceHook('scratch-z')


def test_weights_of_load_from_are_the_parent(tiny_config):
    source = trained(tiny_config('source', epochs=1, seed=7))
    started = trained(tiny_config(epochs=1, load_from=source.path))
    assert started.provenance.parent == source.as_parent()
    assert started.provenance.parent.digest == digest(source.state_dict)
    assert started.provenance.arm == 'unpruned'


def test_a_resumed_run_names_the_parent_that_it_started_from(tiny_config):
    source = trained(tiny_config('source', epochs=1, seed=7))
    kill = dict(type='rethink_det.KillHook', iteration=4)
    with pytest.raises(KeyboardInterrupt):
        train(tiny_config(epochs=2, hooks=[kill], load_from=source.path))
    resumed = trained(tiny_config(epochs=2, resume=True))
    assert resumed.provenance.parent == source.as_parent()


def test_what_mmengine_initialises_from_is_named(tiny_config, tmp_path):
    config = tiny_config(epochs=1)
    state = classifier_architecture(config).build_network().backbone.state_dict()
    torch.save(state, tmp_path / 'public.pth')
    source = str(tmp_path / 'public.pth')
    config.model.backbone.init_cfg = dict(type='Pretrained', checkpoint=source)
    provenance = trained(config).provenance
    assert provenance.parent == Parent('public.pth', None, None, None)


def test_one_hook_is_enough_in_a_plain_run_of_mmengine(tiny_config, tmp_path, monkeypatch):
    """Of MMEngine's own tools, which know no default hooks of this package."""
    monkeypatch.delenv('TORCH_FORCE_WEIGHTS_ONLY_LOAD', raising=False)  # a command sets it
    config = tiny_config(epochs=1)
    architecture = classifier_architecture(config)
    state = architecture.build_network().state_dict()
    source = tmp_path / 'source.pth'
    checkpoint(state, arm='pruned').write(source)
    config.custom_hooks = [
        dict(type='rethink_det.TransferHook', arm='fine-tune', checkpoint=str(source), part=None)
    ]
    Runner.from_cfg(config).train()
    content = torch.load(last_checkpoint(config.work_dir), weights_only=False)
    written = Checkpoint.from_dict(content)
    assert written.provenance.arm == 'fine-tune'
    assert written.provenance.parent == Checkpoint.read(source).as_parent()
    assert written.provenance.seed is not None and written.provenance.versions
    assert written.architecture == architecture.to_dict()
    assert written.input_convention is not None
