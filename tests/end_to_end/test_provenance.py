"""Every checkpoint says where it comes from, whoever writes it: arm, seed, data, versions, ..."""

import pytest
import torch
from mmengine.config import Config

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.provenance import Parent, Provenance
from rethink_det.classification.arm_config import classifier_architecture
from rethink_det.training.config import load_config
from tests.checkpoints import unpack_legacy

ALWAYS = set(Provenance.unknown().to_dict())
FOUND = {'arm', 'seed', 'data', 'versions', 'config_digest'}
PARENT = {'parent', 'parent_digest', 'tensors'}
PRUNED = {*FOUND, *PARENT, 'parent_arm', 'pruner'}
WRITTEN = {
    'study/classification/net/unpruned': ('epoch_1.pth', 'unpruned', None, FOUND),
    'study/classification/net/unpruned/initial': ('initial.pth', 'initial', None, FOUND),
    'study/pruning/net/pruned': ('inherited.pth', 'pruned', 'unpruned', PRUNED),
    'study/classification/net/fine-tune': ('epoch_1.pth', 'fine-tune', 'pruned', PRUNED),
    'study/classification/net/lottery': ('epoch_1.pth', 'lottery', 'pruned', PRUNED),
    'study/classification/net/scratch-e': ('epoch_1.pth', 'scratch-e', None, FOUND),
    'adopting/classification/net/unpruned': ('parent.pth', 'unpruned', 'unpruned', PRUNED),
    'adopting/pruning/net/pruned': ('inherited.pth', 'pruned', 'unpruned', PRUNED),
}
"""What writes, by study and run: its file, that file's arm and parent's, and what is not None."""
COMMANDS = {
    'train': ('trained/epoch_1.pth', 'unpruned', None, FOUND),
    'train, before': ('trained/initial.pth', 'initial', None, FOUND),
    'prune': ('pruned.pth', 'pruned', 'unpruned', PRUNED),
    'train --arm fine-tune': ('fine-tune/epoch_1.pth', 'fine-tune', 'pruned', PRUNED),
    'train --arm lottery': ('lottery/epoch_1.pth', 'lottery', 'pruned', PRUNED),
    'train --arm scratch-e': ('scratch-e/epoch_1.pth', 'scratch-e', None, FOUND),
    'convert': ('converted.pth', 'converted', None, {'arm', 'versions', 'inferred', *PARENT}),
}
ARMS = ('fine-tune', 'scratch-e', 'lottery')
PRUNER = dict(type='L1NormPruner', ratios=0.5)


def check(path, arm, parent_arm, told):
    """A file says everything that there is to say, and no more."""
    entry = torch.load(path, weights_only=True)['meta']['provenance']
    assert set(entry) == ALWAYS
    not_applicable = {'pruner'} if arm != 'pruned' else set()
    assert {key for key, value in entry.items() if value is not None} == told - not_applicable
    assert (entry['arm'], entry['parent_arm']) == (arm, parent_arm)
    assert entry['seed'] in (1, None)
    assert '/' not in (entry['parent'] or '')
    assert Checkpoint.read(path).provenance.to_dict() == entry


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('provenance')


@pytest.fixture(scope='module')
def config(folder, tiny_config_in):
    tiny_config_in(folder, epochs=1).dump(folder / 'net.py')
    return folder / 'net.py'


@pytest.fixture(scope='module')
def commands(folder, config, command):
    """What the commands leave."""

    def run(*line):
        done = command(*line)
        assert done.status == 0, done

    pruned = folder / 'pruned.pth'
    run('train', config, '--work-dir', folder / 'trained')
    options = ('--pruner', PRUNER['type'], '--pruner-options', 'ratios=0.5', '--no-eval')
    run('prune', config, folder / 'trained' / 'epoch_1.pth', *options, '-o', pruned)
    for arm in ARMS:
        line = ('train', config, '--backbone', pruned, '--arm', arm, '--work-dir', folder / arm)
        run(*line, '--arm-settings', 'fine_tune_epochs=1')
    state = Checkpoint.read(pruned).state_dict
    torch.save({n.removeprefix('backbone.'): t for n, t in state.items()}, folder / 'foreign.pth')
    run('convert', folder / 'foreign.pth', '--base', config, '-o', folder / 'converted.pth')
    return folder


@pytest.fixture(scope='module')
def studies(commands, config, command):
    """What a study leaves, and one that is given its parent."""
    parts = dict(config='net.py', pruner=PRUNER, arm_settings=dict(fine_tune_epochs=1))
    given = dict(parent=str(commands / 'trained' / 'epoch_1.pth'), arms=['unpruned', 'scratch-e'])
    for name, more in (('study', dict(arms=list(ARMS))), ('adopting', given)):
        file = commands / f'{name}.py'
        Config(dict(study=dict(seeds=[1], classification=parts | more))).dump(file)
        done = command('study', file, '--work-dir', commands / name)
        assert done.status == 0, done
    return commands


@pytest.mark.parametrize('writer', COMMANDS)
def test_a_command_leaves_nothing_unsaid(commands, writer):
    file, *expected = COMMANDS[writer]
    check(commands / file, *expected)


@pytest.mark.parametrize('writer', WRITTEN)
def test_a_run_of_a_study_leaves_nothing_unsaid(studies, writer):
    file, *expected = WRITTEN[writer]
    name, run = writer.removesuffix('/initial').split('/', 1)
    check(next((studies / name / 'runs').glob(f'{run}/seed1-*/{file}')), *expected)


def test_files_of_a_chain_name_each_other(commands):
    chain = [Checkpoint.read(commands / file) for file in
             ('trained/epoch_1.pth', 'pruned.pth', 'fine-tune/epoch_1.pth')]  # fmt: skip
    for parent, child in zip(chain, chain[1:], strict=False):
        assert child.provenance.parent == parent.as_parent()
    assert len({checkpoint.provenance.config_digest for checkpoint in chain}) == 3
    ticket = Checkpoint.read(commands / 'lottery' / 'epoch_1.pth').provenance.parent
    assert ticket == chain[1].as_parent(chain[1].ticket)


# -- detectors without --backbone ----------------------------------------------------------

PRETRAINED = """
_base_ = 'detector.py'
model = dict(
    backbone=dict(init_cfg=dict(_delete_=True, type='Pretrained', checkpoint={file!r})))
"""


def test_a_detector_from_nothing_is_of_no_arm(write_configs, command, tmp_path):
    config = write_configs(tmp_path) / 'detector.py'
    assert command('train', config, '--work-dir', tmp_path / 'work').status == 0
    provenance = Checkpoint.read(tmp_path / 'work' / 'epoch_1.pth').provenance
    assert (provenance.arm, provenance.parent, provenance.seed) == (None, None, 0)


def test_a_detector_of_mmdets_own_has_the_unpruned_backbone(write_configs, command, tmp_path):
    folder, file = write_configs(tmp_path), tmp_path / 'public.pth'
    network = classifier_architecture(load_config(folder / 'classifier.py')).build_network()
    torch.save(network.backbone.state_dict(), file)
    config = folder / 'pretrained.py'
    config.write_text(PRETRAINED.format(file=str(file)))
    assert command('train', config, '--work-dir', tmp_path / 'work').status == 0
    provenance = Checkpoint.read(tmp_path / 'work' / 'epoch_1.pth').provenance
    assert provenance.arm == 'unpruned'
    assert provenance.parent == Parent('public.pth', None, None, None)


# -- files of before -----------------------------------------------------------------------


@pytest.fixture(scope='module')
def narrow(folder, tiny_config_in):
    """The config that older files were trained by."""
    config = tiny_config_in(folder, epochs=1)
    config.model.backbone.base_channels = 2
    config.dump(folder / 'narrow.py')
    return folder / 'narrow.py'


@pytest.mark.parametrize(
    'name, arm', [('pruned', 'fine-tune'), ('pruned', 'lottery'), ('masked', 'fine-tune'),
                  ('masked', 'scratch-e'), ('converted', 'fine-tune')],
)  # fmt: skip
def test_an_older_pruned_network_is_trained_on(narrow, command, tmp_path, name, arm):
    older, work = unpack_legacy(name, tmp_path), tmp_path / 'work'
    done = command(
        'train', narrow, '--backbone', older, '--arm', arm, '--work-dir', work,
        '--arm-settings', 'fine_tune_epochs=1',
    )  # fmt: skip
    assert done.status == 0, done
    checkpoint = Checkpoint.read(work / 'epoch_1.pth')
    assert checkpoint.provenance.arm == arm
    assert bool(checkpoint.masks) == (name == 'masked')


@pytest.mark.parametrize('name', ['trained', 'fine-tune', 'scratch-e'])
def test_an_older_network_is_pruned_and_tested(narrow, command, tmp_path, name):
    older, out = unpack_legacy(name, tmp_path), tmp_path / 'out.pth'
    assert command('analyze', 'cost', older).status == 0
    options = ('--pruner', PRUNER['type'], '--pruner-options', 'ratios=0.5', '-o', out)
    done = command('prune', narrow, older, *options)
    assert done.status == 0 and 'accuracy/top1' in done.out, done
    parent = Checkpoint.read(out).provenance.parent
    assert parent == Checkpoint.read(older).as_parent()
    assert parent.arm == (None if name != 'fine-tune' else 'fine-tune')


def test_an_older_run_is_resumed(narrow, command, tmp_path):
    older, work = unpack_legacy('trained', tmp_path), tmp_path / 'work'
    done = command(
        'train', narrow, '--work-dir', work, '--resume', older,
        '--cfg-options', 'train_cfg.max_epochs=2',
    )  # fmt: skip
    assert done.status == 0, done
    provenance = Checkpoint.read(work / 'epoch_2.pth').provenance
    assert (provenance.arm, provenance.parent) == ('unpruned', None)
