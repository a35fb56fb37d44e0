"""``prune``: a self-describing checkpoint, or a refusal and no file."""

import json

import pytest
import torch

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import save_checkpoint

RATIO = ('--pruner', 'L1NormPruner', '--pruner-options', 'ratios=0.5')


@pytest.mark.parametrize('pruner', ['L1NormPruner', 'RandomPruner', 'rethink_det.L1NormPruner'])
def test_pruned_checkpoint_describes_itself(command, classifier, trained, tmp_path, pruner):
    out = tmp_path / 'new' / 'pruned.pth'
    done = command(
        'prune', classifier(), trained, '--pruner', pruner, '--pruner-options', 'ratios=0.5',
        '-o', out,
    )  # fmt: skip
    assert done.status == 0
    assert f'wrote {out}' in done.out
    assert 'layer1.0.conv1' in done.out

    checkpoint = torch.load(out, weights_only=True)
    network = PrunedArchitecture.load(out).build_network()
    network.load_state_dict(checkpoint['state_dict'])
    assert network.backbone.layer1[0].conv1.out_channels == 2
    parent = torch.load(trained, weights_only=True)['state_dict']
    inherited = PrunedArchitecture.load(out).inherit(parent)
    assert all(torch.equal(inherited[n], t) for n, t in checkpoint['state_dict'].items())
    assert checkpoint['meta']['provenance']['parent_digest']

    cost = json.loads(command('analyze', 'cost', out, '--json').out)
    assert cost['params'] == sum(p.numel() for p in network.parameters())


def test_a_goal_is_reached_and_every_layer_explained(command, classifier, trained, tmp_path):
    out = tmp_path / 'pruned.pth'
    goal = ('--pruner', 'GroupNormPruner', '--pruner-options', 'params=0.7')
    done = command(
        'prune', classifier(), trained, *goal, '--explain', '--no-eval', '-o', out
    )  # fmt: skip
    assert done.status == 0 and 'params: asked for' in done.out and 'goes with' in done.out
    cost = json.loads(command('analyze', 'cost', out, '--json').out)
    assert f'got {cost["params"]:,}' in done.out


def test_a_device_that_is_not_there_is_refused(refusal, classifier, trained, tmp_path):
    line = ('prune', classifier(), trained, *RATIO, '-o', tmp_path / 'pruned.pth', '--device')
    assert "device: 'gpu' is none; say cpu, cuda or cuda:N." in refusal(*line, 'gpu')
    assert 'there is no cuda:99 here' in refusal(*line, 'cuda:99')
    assert not (tmp_path / 'pruned.pth').exists()


def test_a_goal_that_makes_no_sense_is_refused(refusal, classifier, trained, tmp_path):
    out = tmp_path / 'pruned.pth'
    said = ('--pruner', 'L1NormPruner', '--pruner-options', 'params=0.7', 'ratios=0.3')
    message = refusal('prune', classifier(), trained, *said, '-o', out)
    assert 'give either params or ratios' in message
    assert not out.exists()


def test_ratios_by_layer_are_given_as_a_dict(command, classifier, trained, tmp_path):
    out = tmp_path / 'pruned.pth'
    said = "ratios={'layer1.*': 0.5, 'layer2.*': 0.25}"
    options = ('--pruner', 'L1NormPruner', '--pruner-options', said, '--no-eval', '-o', out)
    assert command('prune', classifier(), trained, *options).status == 0
    network = PrunedArchitecture.load(out).build_network().backbone
    assert network.layer1[0].conv1.out_channels == 2
    assert network.layer2[0].conv1.out_channels == 6


def test_pruned_checkpoint_can_be_evaluated(command, classifier, trained, tmp_path):
    out = tmp_path / 'pruned.pth'
    assert command('prune', classifier(), trained, *RATIO, '-o', out).status == 0
    small = classifier('small.py')
    backbone = dict(type='rethink_det.PrunedBackbone', architecture=str(out))
    small.write_text(f'{small.read_text()}\nmodel["backbone"] = {backbone}\n')
    done = command('test', small, out, '--work-dir', tmp_path / 'test')
    assert done.status == 0
    assert 'accuracy/top1: ' in done.out


def test_bad_checkpoint_is_refused(refusal, classifier, bad_checkpoint, tmp_path):
    out = tmp_path / 'pruned.pth'
    message = refusal('prune', classifier(), bad_checkpoint, *RATIO, '-o', out)
    assert str(bad_checkpoint) in message
    assert not out.exists()


def test_bad_checkpoint_leaves_an_older_output_alone(refusal, classifier, bad_checkpoint, tmp_path):
    out = tmp_path / 'pruned.pth'
    out.write_text('older')
    message = refusal('prune', classifier(), bad_checkpoint, *RATIO, '-o', out)
    assert 'this package did not write it' in message
    refusal('prune', classifier(), bad_checkpoint, *RATIO, '-o', out, '--force')
    assert out.read_text() == 'older'
    assert not list(tmp_path.glob('.pruned*'))


def test_checkpoint_of_another_architecture_names_the_first_layer(
    refusal, classifier, cifar, tmp_path
):
    wide, out = tmp_path / 'wide.pth', tmp_path / 'pruned.pth'
    state = cifar(depth=8, base_channels=6, classes=2).build_network().state_dict()
    save_checkpoint({'meta': {}, 'state_dict': state}, wide)
    message = refusal('prune', classifier(), wide, *RATIO, '-o', out)
    assert 'backbone.conv1.weight is (6, 3, 3, 3) there, (4, 3, 3, 3) here' in message
    assert not out.exists()


@pytest.mark.parametrize(
    'options, parts',
    [
        (['ratios=1.0'], ['[0, 1)', '1.0']),
        (['ratios=1'], ['[0, 1)']),
        (['ratios=-0.1'], ['[0, 1)', '-0.1']),
        (['ratios=nan'], ['[0, 1)']),
        (['ratios=half'], ['[0, 1)', "'half'"]),
        (['ratios=0.3', 'target=resnet56-a'], ['either ratios or a target']),
        (['skip=[]'], ['either ratios or a target']),
        (['target=resnet56-z'], ["'resnet56-z'", 'resnet56-a']),
        (['target=resnet56-a'], ['another network', 'layer']),
        (['ratios=0.5', 'skip=[layer9.*]'], ['layer9', 'matches no prunable layer']),
        (['ratio=0.5'], ['L1NormPruner', "'ratio'"]),
    ],
)
def test_wrong_options_of_the_pruner_are_refused(
    refusal, classifier, trained, tmp_path, options, parts
):
    out = tmp_path / 'pruned.pth'
    message = refusal(
        'prune', classifier(), trained, '--pruner', 'L1NormPruner',
        '--pruner-options', *options, '-o', out,
    )  # fmt: skip
    assert all(part in message for part in parts), message
    assert not out.exists()


@pytest.mark.parametrize('name', ['L2NormPruner', 'mmdet.L1NormPruner', ''])
def test_unknown_pruner_lists_the_known_ones(refusal, classifier, trained, tmp_path, name):
    out = tmp_path / 'pruned.pth'
    message = refusal('prune', classifier(), trained, '--pruner', name, '-o', out)
    assert 'L1NormPruner, MagnitudePruner' in message
    assert not out.exists()


def test_config_of_something_else_is_refused(refusal, trained, tmp_path):
    config = 'detection/faster-rcnn_r34_fpn_1x_coco.py'
    message = refusal('prune', config, trained, *RATIO, '-o', tmp_path / 'pruned.pth')
    assert f'{trained} does not fit the config' in message
    (tmp_path / 'nothing.py').write_text("model = dict(type='SORT')\n")
    message = refusal('prune', tmp_path / 'nothing.py', trained, *RATIO, '-o', tmp_path / 'x.pth')
    assert 'no detector: it has no model.backbone' in message


def test_output_is_required(command, classifier, trained):
    done = command('prune', classifier(), trained, *RATIO)
    assert done.status == 2
    assert '-o' in done.err


def test_output_that_cannot_be_written_is_refused(refusal, classifier, trained, tmp_path):
    (tmp_path / 'file').touch()
    out = tmp_path / 'file' / 'pruned.pth'
    assert str(tmp_path / 'file') in refusal('prune', classifier(), trained, *RATIO, '-o', out)


METHODS = {
    'ThiNetPruner': ['ratios=0.5', 'images=16'],
    'RegressionPruner': ['ratios=0.5', 'images=16'],
    'ImportancePruner': ['ratios=0.5', 'importance=taylor', 'images=16'],
    'NetworkSlimmingPruner': ['ratio=0.4'],
    'SoftFilterPruner': ['keep=0.5'],
    'MagnitudePruner': ['ratio=0.5'],
}


@pytest.mark.parametrize('method', METHODS)
def test_every_method_is_a_command_away(command, classifier, trained, tmp_path, method):
    out = tmp_path / 'pruned.pth'
    done = command(
        'prune', classifier(), trained, '--pruner', method, '--pruner-options', *METHODS[method],
        '-o', out,
    )  # fmt: skip
    assert done.status == 0, done
    for part in ('params: ', 'macs: ', 'accuracy/top1: ', ' -> ', f'wrote {out}'):
        assert part in done.out
    again = tmp_path / 'again.pth'
    command(
        'prune', classifier(), trained, '--pruner', method, '--pruner-options', *METHODS[method],
        '-o', again, '--no-eval',
    )  # fmt: skip
    one, other = (torch.load(path, weights_only=True) for path in (out, again))
    assert one['meta'] == other['meta']
    assert all(torch.equal(one['state_dict'][n], t) for n, t in other['state_dict'].items())


def test_accuracy_is_left_out_with_a_reason(command, classifier, trained, tmp_path):
    config = classifier(test_dataloader=None, test_evaluator=None, test_cfg=None)
    done = command('prune', config, trained, *RATIO, '-o', tmp_path / 'out.pth')
    assert done.status == 0
    assert 'accuracy: not measured (The config has no test_dataloader' in done.out
    done = command('prune', config, trained, *RATIO, '-o', tmp_path / 'out.pth', '--no-eval')
    assert 'accuracy:' not in done.out


def test_a_ticket_is_trained_from_where_the_parent_started(command, classifier, tmp_path):
    config, folder, out = classifier(), tmp_path / 'parent', tmp_path / 'pruned.pth'
    assert command('train', config, '--work-dir', folder).status == 0
    done = command('prune', config, folder / 'epoch_3.pth', *RATIO, '-o', out)
    assert 'for the lottery arm' in done.out
    initial = torch.load(folder / 'initial.pth', weights_only=True)['state_dict']
    ticket = PrunedArchitecture.load(out).inherit(initial)
    saved = torch.load(out, weights_only=True)['initial']
    assert all(torch.equal(saved[name], tensor) for name, tensor in ticket.items())
    line = ('train', config, '--backbone', out, '--arm', 'lottery')
    assert command(*line, '--work-dir', tmp_path / 'ticket').status == 0


def test_an_arm_without_its_ticket_is_refused(refusal, command, classifier, trained, tmp_path):
    out = tmp_path / 'pruned.pth'
    assert command('prune', classifier(), trained, *RATIO, '-o', out, '--no-eval').status == 0
    line = ('train', classifier(), '--backbone', out, '--arm', 'lottery')
    assert 'has no lottery ticket' in refusal(*line, '--work-dir', tmp_path / 'ticket')


def test_masks_are_packed_and_trained_under(command, classifier, trained, tmp_path):
    out = tmp_path / 'pruned.pth'
    done = command(
        'prune', classifier(), trained, '--pruner', 'MagnitudePruner', '--pruner-options',
        'ratio=0.5', '-o', out, '--no-eval',
    )  # fmt: skip
    assert 'conv1.weight (weights)' in done.out
    checkpoint = torch.load(out, weights_only=True)
    sizes = {n: t.numel() for n, t in checkpoint['state_dict'].items() if t.dim() == 4}
    bits = {n: mask['bits'].numel() for n, mask in checkpoint['masks'].items()}
    assert bits == {name: -(-size // 8) for name, size in sizes.items()}
    for arm in ('fine-tune', 'scratch-e'):
        folder = tmp_path / arm
        done = command(
            'train', classifier(), '--backbone', out, '--arm', arm, '--arm-settings',
            'fine_tune_epochs=1', '--work-dir', folder,
        )  # fmt: skip
        assert done.status == 0, done
        trained_to = torch.load(sorted(folder.glob('epoch_*.pth'))[-1], weights_only=True)
        zeros = sum(int((trained_to['state_dict'][name] == 0).sum()) for name in sizes)
        assert zeros == int(0.5 * sum(sizes.values()))


def test_a_bad_initial_file_is_refused(refusal, classifier, trained, bad_checkpoint, tmp_path):
    out = tmp_path / 'pruned.pth'
    message = refusal(
        'prune', classifier(), trained, *RATIO, '-o', out, '--initial', bad_checkpoint
    )
    assert str(bad_checkpoint) in message
    assert not out.exists()


def test_blocks_that_training_zeroed_are_a_command_away(command, classifier, tmp_path):
    """Trained with factors, pruned, fine-tuned; the factors are in no later checkpoint."""
    hook = dict(type='rethink_det.StructureScaleHook', weight=30.0)
    config, folder, out = classifier(hooks=[hook]), tmp_path / 'parent', tmp_path / 'pruned.pth'
    assert command('train', config, '--work-dir', folder).status == 0
    done = command(
        'prune', config, folder / 'epoch_3.pth', '--pruner', 'SparseStructurePruner', '-o', out
    )
    assert done.status == 0, done
    removed = PrunedArchitecture.load(out).removed_blocks
    assert removed == ('layer1.0', 'layer2.0', 'layer3.0')
    assert 'layer1.0 (residual branch)' in done.out
    before, after = done.out.split('accuracy/top1: ')[1].split()[:3:2]
    assert before == after
    for arm in ('fine-tune', 'scratch-b', 'lottery'):
        line = ('train', config, '--backbone', out, '--arm', arm, '--arm-settings')
        work = tmp_path / arm
        assert command(*line, 'fine_tune_epochs=1', '--work-dir', work).status == 0
        state = torch.load(next(work.glob('epoch_*.pth')), weights_only=True)['state_dict']
        assert not any('structure' in name or 'layer1.0.conv' in name for name in state)
