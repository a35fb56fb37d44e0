"""A given parent is checked, copied and evaluated."""

import pytest

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint, digest, load_checkpoint
from rethink_det.errors import UserError
from rethink_det.study.config import Study
from rethink_det.study.graph import runs_of
from rethink_det.study.stages import AdoptClassifier
from tests.checkpoints import checkpoint


@pytest.fixture
def adopt(older_study):
    """Makes the stage that takes a checkpoint for the parent of the older study."""

    def make(checkpoint):
        options = {'study.classification.parent': str(checkpoint)}
        return AdoptClassifier(runs_of(Study.load(older_study / 'study.py', options))[0])

    return make


def done(stage, folder):
    config = stage.config()
    config.work_dir = str(folder)
    folder.mkdir()
    return stage.do(config, folder)


def test_it_has_the_parents_weights_and_metrics_and_owes_what_nobody_knows(
    adopt, older_results, tmp_path
):
    trained = older_results['classification/classifier/unpruned/seed0']
    stage = adopt(trained.checkpoint_path)
    result = done(stage, tmp_path / 'run')
    assert (result.digest, result.metrics) == (trained.digest, trained.metrics)
    assert (result.epochs, result.train_macs, result.total_train_macs) == (0, None, None)
    copied = tmp_path / 'run' / result.checkpoint
    assert digest(load_checkpoint(copied)['state_dict']) == trained.digest
    assert PrunedArchitecture.load(copied) == PrunedArchitecture.load(trained.architecture_path)
    assert stage.sources == {'parent': trained.digest}
    assert result.test_images > 0 and len(result.replicates['accuracy/top1']) == 1000
    assert result.unmeasured is None


def test_it_knows_the_weights_wherever_they_lie(adopt, older_results, tmp_path):
    trained = older_results['classification/classifier/unpruned/seed0']
    copy = tmp_path / 'copy.pth'
    copy.write_bytes(trained.checkpoint_path.read_bytes())
    assert adopt(copy).sources == adopt(trained.checkpoint_path).sources


def test_weights_of_another_network_are_refused(adopt, older_results, tmp_path):
    pruned = older_results['pruning/classifier/pruned/seed0'].checkpoint_path
    with pytest.raises(UserError, match='pruned and not trained since, but a study that is given'):
        done(adopt(pruned), tmp_path / 'run')
    silent = tmp_path / 'silent.pth'
    checkpoint(Checkpoint.read(pruned).state_dict).write(silent)
    with pytest.raises(UserError, match='of another architecture'):
        done(adopt(silent), tmp_path / 'again')


def test_it_says_what_it_was_made_from(adopt, older_results, tmp_path):
    trained = older_results['classification/classifier/unpruned/seed0'].checkpoint_path
    done(adopt(trained), tmp_path / 'run')
    given, adopted = Checkpoint.read(trained), Checkpoint.read(tmp_path / 'run' / 'parent.pth')
    assert adopted.provenance.parent == given.as_parent()
    for name in ('seed', 'data', 'config_digest'):
        assert getattr(adopted.provenance, name) == getattr(given.provenance, name) is not None


def test_a_file_that_is_not_there_is_refused(adopt):
    with pytest.raises(UserError, match='gone.pth does not exist'):
        _ = adopt('gone.pth').sources
