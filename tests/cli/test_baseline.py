"""``rethink-det baseline``: somebody's pruned network against its own shape from scratch."""

import pytest
import torch

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint, digest, load_checkpoint
from rethink_det.report import StudyResults

HALF = ('--pruner', 'L1NormPruner', '--pruner-options', 'ratios=0.5')
TOP1 = 'accuracy/top1'


@pytest.fixture
def pruned(classifier, trained, command, tmp_path):
    """A pruned network that was not tuned, as this package writes it."""
    done = command('prune', classifier(epochs=2), trained, *HALF, '-o', tmp_path / 'pruned.pth')
    assert done.status == 0, done
    return tmp_path / 'pruned.pth'


@pytest.fixture
def foreign(pruned, tmp_path):
    """The same by a tool that writes bare tensors, "tuned"."""
    torch.save(load_checkpoint(pruned)['state_dict'], tmp_path / 'tuned.pth')
    return tmp_path / 'tuned.pth'


@pytest.fixture
def ask(command, classifier, tmp_path):
    config = classifier(epochs=2)

    def ask(checkpoint, *more):
        return command('baseline', checkpoint, '--config', config, '--work-dir', tmp_path / 'work',
                       *more)  # fmt: skip

    return ask


def runs_in(folder):
    runs = StudyResults.read(folder).runs
    return {(run.arm, run.seed): run for run in runs if run.stage == 'classification'}


def test_a_foreign_network_is_taken_as_it_is_and_compared_with_its_own_shape(
    ask, foreign, pruned, tmp_path
):
    done = ask(foreign, '--seeds', 0, 1, 2)
    assert done.status == 0, done
    runs = runs_in(tmp_path / 'work')
    trained = {arm for arm, _ in runs}
    assert trained == {'fine-tune', 'scratch-e', 'scratch-b', 'rewind'}
    given = runs['fine-tune', 0]
    assert [arm for arm, _ in runs].count('fine-tune') == 1 and given.epochs == 0
    assert given.digest == digest(load_checkpoint(pruned)['state_dict'])
    for (arm, seed), run in runs.items():
        shape = PrunedArchitecture.load(run.place / run.architecture)
        assert run.macs == given.macs and shape.kept('layer1.0.conv1') == 2, (arm, seed)
        assert run.parent_digest == given.digest and run.parent_given
    assert (
        runs['scratch-b', 1].epochs > 2 == runs['scratch-e', 1].epochs == runs['rewind', 2].epochs
    )
    verdicts = {v.comparison.arm: v for v in StudyResults.read(tmp_path / 'work').verdicts}
    told = verdicts['scratch-b']
    assert (told.comparison.baseline, told.scope, told.one_network) == ('fine-tune', 'parent', True)
    assert verdicts['rewind'].comparison.baseline == 'scratch-e'
    assert 'for this one network' in done.out


def test_rewinding_starts_from_its_weights(ask, foreign, tmp_path):
    assert ask(foreign, '--seeds', 3, '--arms', 'rewind').status == 0
    run = runs_in(tmp_path / 'work')['rewind', 3]
    parent = Checkpoint.read(run.checkpoint_path).provenance.parent
    assert parent.digest == digest(load_checkpoint(foreign))


def test_weights_that_were_averaged_are_taken_where_they_are_asked_for(ask, foreign, tmp_path):
    mean = {name: tensor * 1 for name, tensor in load_checkpoint(foreign).items()}
    mean['head.fc.weight'] = mean['head.fc.weight'] + 1
    both = {'state_dict': load_checkpoint(foreign), 'ema_state_dict': mean}
    torch.save(both, tmp_path / 'both.pth')
    assert ask(tmp_path / 'both.pth', '--ema', '--seeds', 0, '--arms', 'rewind').status == 0
    runs = runs_in(tmp_path / 'work')
    assert runs['fine-tune', 0].digest == digest(mean) == runs['rewind', 0].parent_digest
    for more in ((), ('--dry-run',)):
        done = ask(foreign, '--ema', *more)
        assert done.status == 2 and 'tuned.pth has no averaged weights' in done.err, done


def test_an_untuned_network_is_fine_tuned_first(ask, pruned, tmp_path):
    settings = ('--arm-settings', 'fine_tune_epochs=1')
    done = ask(pruned, '--untuned', '--seeds', 0, 1, '--arms', 'scratch-e', *settings)
    assert done.status == 0, done
    runs = runs_in(tmp_path / 'work')
    assert {arm: run.epochs for (arm, _), run in runs.items()} == {'fine-tune': 1, 'scratch-e': 2}
    assert len({run.digest for run in runs.values()}) == 4


def test_the_plan_is_told_before_anything_runs(ask, foreign, tmp_path):
    done = ask(foreign, '--dry-run')
    assert done.status == 0 and 'pruning/classifier/pruned/seed0' in done.out
    assert done.out.count('scratch-b/seed') == 3 and 'unpruned' not in done.out
    assert not (tmp_path / 'work').exists()


def test_what_is_no_pruned_network_of_the_config_is_refused(
    ask, pruned, foreign, trained, command, tmp_path
):
    for file, more, words in [
        (trained, ('--dry-run',), 'trained.pth is a whole network: nothing of it was pruned'),
        (trained, (), 'trained.pth is a whole network: nothing of it was pruned'),
        (pruned, (), 'was not trained since it was pruned: say untuned=True, --untuned'),
        (tmp_path / 'nothing.pth', (), 'nothing.pth'),
        (foreign, ('--arms', 'lottery'), 'arm lottery needs the network that this one was pruned'),
        (foreign, ('--arms', 'scratch-total'), 'arm scratch-total needs the network'),
        (foreign, ('--seeds', 'zero'), 'invalid int value'),
    ]:
        done = ask(file, *more)
        assert done.status in (1, 2), (words, done)
        assert words in done.err + done.out, (words, done)


def test_a_network_cut_from_another_is_refused(command, classifier, foreign, tmp_path):
    other = classifier('wider.py', epochs=1)
    text = other.read_text().replace('base_channels=4', 'base_channels=6')
    other.write_text(text)
    done = command('baseline', foreign, '--config', other, '--work-dir', tmp_path / 'work')
    assert done.status in (1, 2) and 'tuned.pth' in done.err + done.out
