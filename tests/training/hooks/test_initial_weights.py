"""InitialWeightsHook: the file holds what the first step started from, or there is none."""

from pathlib import Path

import pytest
import torch

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint, digest, load_checkpoint
from rethink_det.training.launch import train
from tests.checkpoints import of_arm

HOOK = dict(type='rethink_det.InitialWeightsHook')


def initial(config) -> Path:
    return Path(config.work_dir) / 'initial.pth'


@pytest.mark.parametrize('masked', [False, True])
def test_the_file_has_the_weights_of_the_first_step(
    tiny_config, run_with, watch, mask_file, masked
):
    seen = []

    def look(model):
        seen.append({name: tensor.clone() for name, tensor in model.state_dict().items()})

    mask = dict(type='rethink_det.MaskHook', checkpoint=mask_file, redraw=True)
    config = tiny_config(epochs=1, hooks=[HOOK, mask] if masked else [HOOK])
    runner = run_with(config, watch(before_train_epoch=look))
    checkpoint = load_checkpoint(initial(config))
    assert digest(checkpoint['state_dict']) == digest(seen[0]) != digest(runner.model.state_dict())
    provenance = checkpoint['meta']['provenance']
    assert provenance['arm'] == 'initial' and provenance['seed'] == 1
    assert PrunedArchitecture.load(initial(config)) == runner.model.architecture
    names = set(PrunedArchitecture.load(initial(config)).build_network().state_dict())
    assert set(Checkpoint.from_dict(checkpoint).weights) == names


def test_resume_keeps_the_file(tiny_config, run_with):
    kill = dict(type='rethink_det.KillHook', iteration=4)
    with pytest.raises(KeyboardInterrupt):
        train(tiny_config(hooks=[HOOK, kill]))
    config = tiny_config(hooks=[HOOK], resume=True)
    before = initial(config).read_bytes(), initial(config).stat().st_mtime_ns
    assert run_with(config).epoch == 3
    assert (initial(config).read_bytes(), initial(config).stat().st_mtime_ns) == before


def test_a_new_run_writes_anew_and_seeds_differ(tiny_config):
    digests = []
    for seed in (1, 2, 1):
        config = tiny_config(epochs=1, seed=seed, hooks=[HOOK])
        train(config)
        digests.append(digest(load_checkpoint(initial(config))['state_dict']))
    assert digests[0] == digests[2] != digests[1]


def test_weights_from_elsewhere_are_no_initialisation(tiny_config):
    source = tiny_config('source', epochs=1)
    train(source)
    path = str(of_arm(f'{source.work_dir}/epoch_1.pth', 'pruned'))
    transfer = dict(
        type='rethink_det.TransferHook', arm='fine-tune', checkpoint=path, part='backbone'
    )
    transferred = tiny_config('transferred', epochs=1, hooks=[HOOK, transfer])
    loaded = tiny_config('loaded', epochs=1, hooks=[HOOK], load_from=path)
    for config in (transferred, loaded):
        train(config)
        assert not initial(config).exists()


def test_an_arm_that_transfers_nothing_has_an_initialisation(tiny_config):
    nothing = dict(type='rethink_det.TransferHook', arm='random')
    config = tiny_config(epochs=1, hooks=[HOOK, nothing])
    train(config)
    assert torch.load(initial(config), weights_only=True)['state_dict']
