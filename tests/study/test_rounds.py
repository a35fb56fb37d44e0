"""Pruning in rounds, lottery tickets and masks, through real runs of a study."""

from pathlib import Path

import pytest
import torch

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture, weight_masks
from rethink_det.architecture.checkpoint import Checkpoint, load_checkpoint
from rethink_det.study.config import Study
from rethink_det.study.execute import execute_study
from rethink_det.study.executors import Here
from rethink_det.study.graph import runs_of

ARMS = ['unpruned', 'fine-tune', 'scratch-e', 'lottery']


@pytest.fixture
def study(tiny_config, tmp_path):
    """Makes a study of a tiny classifier."""
    tiny_config(epochs=2).dump(tmp_path / 'tiny.py')

    def make(pruner, **settings):
        text = dict(
            seeds=[3],
            classification=dict(
                config='tiny.py', pruner=pruner, arms=ARMS,
                arm_settings=dict(fine_tune_epochs=1), **settings,
            ),
        )  # fmt: skip
        (tmp_path / 'study.py').write_text(f'study = {text!r}')
        return Study.load(tmp_path / 'study.py')

    return make


def run(study, folder):
    results = execute_study(study, folder, Here())
    assert not results.incomplete
    files = {}
    for path in sorted(Path(folder, 'runs').rglob('result.json')):
        files[path.parent.relative_to(folder).parts[3]] = path.parent
    return {r.arm: r for r in results.runs}, files


def weights(folder, name):
    return load_checkpoint(folder / name)


def test_masks_hold_in_every_arm_and_the_ticket_starts_where_the_parent_did(study, tmp_path):
    pruner = dict(type='MagnitudePruner', ratio=0.5)
    plan = study(pruner)
    results, _ = run(plan, tmp_path / 'out')
    assert set(results) == set(ARMS)
    folders = {p.parts[-2]: p.parent for p in Path(tmp_path, 'out').rglob('config.py')}
    pruned = next(Path(tmp_path, 'out').rglob('inherited.pth'))
    checkpoint = load_checkpoint(pruned)
    masks = Checkpoint.from_dict(checkpoint).masks
    assert folders
    parent = next(Path(tmp_path, 'out').rglob('initial.pth'))
    initial = load_checkpoint(parent)['state_dict']
    for name, tensor in checkpoint['initial'].items():
        expected = initial[name] * masks[name] if name in masks else initial[name]
        assert torch.equal(tensor, expected)
    for file in Path(tmp_path, 'out').rglob('epoch_*.pth'):
        if 'unpruned' in str(file):
            continue
        trained = load_checkpoint(file)
        described = PrunedArchitecture.from_dict(trained['meta']['architecture'])
        assert described.masks['digest'] == weight_masks.digest(masks)
        for name, mask in masks.items():
            assert not trained['state_dict'][name][~mask].any()
            assert trained['state_dict'][name][mask].all()
    unpruned, ticket = results['unpruned'], results['lottery']
    assert ticket.params < unpruned.params
    assert ticket.total_train_macs > unpruned.total_train_macs


@pytest.mark.slow
def test_rounds_prune_what_is_left_and_rewind(study, tmp_path):
    pruner = dict(type='MagnitudePruner', ratio=0.5)
    plan = study(pruner, rounds=3, round_arm='lottery')
    keys = [run.key.split('/')[2] for run in runs_of(plan)]
    assert keys == [
        'unpruned', 'pruned-round1', 'lottery-round1', 'pruned-round2', 'lottery-round2',
        'pruned', 'fine-tune', 'scratch-e', 'lottery',
    ]  # fmt: skip
    results, _ = run(plan, tmp_path / 'out')
    assert set(results) == set(ARMS)
    left = {}
    for file in Path(tmp_path, 'out').rglob('inherited.pth'):
        name = next(part for part in file.parts if part.startswith('pruned'))
        left[name] = file
    architectures = {n: PrunedArchitecture.load(f) for n, f in left.items()}
    counts = {n: sum(a.masks['kept'].values()) for n, a in architectures.items()}
    total = sum(
        t.numel() for n, t in load_checkpoint(left['pruned'])['state_dict'].items() if t.dim() == 4
    )
    first = total - total // 2
    second = first - first // 2
    assert list(counts.values()) == [first, second, second - second // 2] or set(
        counts.values()
    ) == {first, second, second - second // 2}
    ticket = load_checkpoint(left['pruned'])['initial']
    initial = load_checkpoint(next(Path(tmp_path, 'out').rglob('initial.pth')))['state_dict']
    masks = Checkpoint.read(left['pruned']).masks
    assert all(torch.equal(ticket[n], initial[n] * mask) for n, mask in masks.items())


@pytest.mark.slow
def test_structured_rounds_cut_further(study, tmp_path):
    plan = study(dict(type='L1NormPruner', ratios=0.5), rounds=2)
    run(plan, tmp_path / 'out')
    sizes = sorted(
        PrunedArchitecture.load(file).kept('layer3.0.conv1')
        for file in Path(tmp_path, 'out').rglob('inherited.pth')
    )
    assert sizes == [4, 8]


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(rounds=0), "rounds' is 0, must be a whole number of at least 1"),
        (dict(rounds=2, round_arm='scratch-e'), 'round_arm must start from weights'),
        (dict(rounds=2, round_arm='raffle'), "Unknown classification arm 'raffle'"),
    ],
)
def test_wrong_rounds_are_refused(study, settings, message):
    with pytest.raises(UserError, match=message):
        study(dict(type='L1NormPruner', ratios=0.5), **settings)


@pytest.fixture
def published(tiny_config, tmp_path):
    """Makes a study of an architecture without weights."""
    tiny_config(epochs=1).dump(tmp_path / 'tiny.py')

    def make(**settings):
        base = PrunedArchitecture(
            dict(type='rethink_det.CifarResNet', depth=8, base_channels=4),
            dict(type='rethink_det.LinearHead', num_classes=2),
            (3, 8, 8),
            {'layer1.0.conv1': 2},
        )
        base.save(tmp_path / 'small.json')
        plan = dict(config='tiny.py', architecture=str(tmp_path / 'small.json'))
        plan |= dict(arms=['unpruned', 'scratch-e', 'scratch-b']) | settings
        (tmp_path / 'study.py').write_text(f'study = {dict(seeds=[0], classification=plan)!r}')
        return Study.load(tmp_path / 'study.py')

    return make


def test_an_architecture_without_weights_is_trained_from_scratch(published, tmp_path):
    results, _ = run(published(), tmp_path / 'out')
    assert set(results) == {'unpruned', 'scratch-e', 'scratch-b'}
    assert results['scratch-e'].params < results['unpruned'].params


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(arms=['unpruned', 'fine-tune']), 'no weights: fine-tune needs a pruner'),
        (dict(arms=['lottery']), 'no weights: lottery needs a pruner'),
        (dict(rounds=2), 'no weights: rounds needs a pruner'),
        (
            dict(pruner=dict(type='L1NormPruner', ratios=0.5)),
            'a pruner, an architecture or a pruned',
        ),
        (dict(architecture=None), 'a pruner, an architecture or a pruned'),
        (dict(architecture='resnet99-z'), "No architecture 'resnet99-z'"),
    ],
)
def test_an_architecture_where_weights_are_needed_is_refused(published, settings, message):
    with pytest.raises(UserError, match=message):
        published(**settings)
