"""Given parents: of this package and of other tools, with a config and without."""

import pytest
import torch
import torchvision

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint, digest
from rethink_det.classification.arm_config import classifier_architecture, is_classifier
from rethink_det.errors import UserError
from rethink_det.study.config import Study
from rethink_det.study.given_parents import check_given_parents, described_config, read_parent
from rethink_det.study.graph import runs_of
from rethink_det.study.nodes import GivenClassifier
from rethink_det.study.plans import ClassificationPlan
from rethink_det.study.stages import AdoptClassifier, PruneClassifier
from rethink_det.training.config import load_config

PRUNER = dict(type='L1NormPruner', ratios=0.5)


@pytest.fixture(scope='module')
def foreign(tmp_path_factory):
    """A ResNet-18 of torchvision with 7 classes."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp('foreign') / 'foreign.pth'
    torch.save(torchvision.models.resnet18(num_classes=7).state_dict(), path)
    return str(path)


def test_weights_of_another_tool_are_what_convert_reads(foreign):
    read = read_parent(foreign)
    architecture = PrunedArchitecture.load(read)
    assert architecture.backbone['depth'] == 18 and architecture.head['num_classes'] == 7
    config = described_config(read)
    assert is_classifier(config) and classifier_architecture(config) == architecture
    named = read_parent(foreign, base='resnet18')
    assert digest(named.weights) == digest(read.weights)
    with pytest.raises(UserError, match='In a study, --base is study.classification.base'):
        read_parent(foreign, base='vgg16')


@pytest.fixture
def averaged(tmp_path):
    """A ResNet-18 of torchvision with weights of its own and others that were averaged."""
    last, mean = (torchvision.models.resnet18(num_classes=7).state_dict() for _ in range(2))
    torch.save({'state_dict': last, 'state_dict_ema': mean}, tmp_path / 'averaged.pth')
    return str(tmp_path / 'averaged.pth')


def test_averaged_weights_are_taken_where_a_study_says_so(averaged, foreign, tmp_path):
    plan = ClassificationPlan(parent=averaged, ema=True, pruner=PRUNER)
    check_given_parents(plan)
    last, mean = (digest(read_parent(averaged, ema=ema).weights) for ema in (False, True))
    assert last != mean
    common = dict(arm='unpruned', seed=0, config='', checkpoint=averaged, evaluated=False)
    plain, ours = (AdoptClassifier(GivenClassifier(**common, ema=ema)) for ema in (False, True))
    assert ours.settings == plain.settings | {'ema': True}  # plain ones stay the runs they were
    assert ours.sources != plain.sources
    assert done(ours, tmp_path / 'ours').digest == mean
    with pytest.raises(UserError, match='foreign.pth has no averaged weights .*or ema=True'):
        check_given_parents(ClassificationPlan(parents=[averaged, foreign], ema=True))


def test_a_file_that_says_what_it_is_needs_no_base(older_results):
    path = str(older_results['classification/classifier/unpruned/seed0'].checkpoint_path)
    assert read_parent(path).architecture is not None
    with pytest.raises(UserError, match="says itself what it is; leave base='resnet18' out"):
        read_parent(path, base='resnet18')


def test_a_pruned_network_is_no_parent(older_results):
    pruned = older_results['pruning/classifier/pruned/seed0'].checkpoint_path
    with pytest.raises(UserError, match='pruned and not trained since, but a study that is given'):
        check_given_parents(ClassificationPlan(parent=str(pruned), pruner=PRUNER))


def test_parents_without_a_config_are_of_one_architecture(foreign, older_results):
    other = str(older_results['classification/classifier/unpruned/seed0'].checkpoint_path)
    plan = ClassificationPlan(parents=[foreign, other], pruner=PRUNER)
    with pytest.raises(UserError, match='is another architecture than .*foreign.pth'):
        check_given_parents(plan)


def done(stage, folder):
    config = stage.config()
    config.work_dir = str(folder)
    folder.mkdir()
    result = stage.do(config, folder)
    return type(result)(**{**vars(result), 'root': folder.parent, 'folder': folder.name})


def test_it_is_taken_and_pruned_without_classification_data(foreign, tmp_path):
    text = f'study = dict(seeds=[0], classification=dict(parent={foreign!r}, pruner={PRUNER!r}), '
    (tmp_path / 'study.py').write_text(text + "detection=[dict(config='det.py', arms=['random'])])")
    (tmp_path / 'det.py').write_text('train_cfg = dict(max_epochs=1)')
    given, pruning, _ = runs_of(Study.load(tmp_path / 'study.py'))
    taken = done(AdoptClassifier(given), tmp_path / 'given')
    assert taken.metrics == {} and taken.unmeasured is None and taken.test_images is None
    assert taken.digest == digest(read_parent(foreign).weights)
    cut = done(PruneClassifier(pruning, trained=taken, unpruned=taken), tmp_path / 'pruned')
    architecture = PrunedArchitecture.load(cut.architecture_path)
    assert architecture.kept('layer1.0.conv1') == 32
    said = Checkpoint.read(cut.checkpoint_path).provenance
    assert (said.arm, said.parent.digest) == ('pruned', taken.digest)


def test_where_nothing_is_compared_data_that_are_missing_cost_the_score_alone(
    older_study, older_results, monkeypatch
):
    path = older_results['classification/classifier/unpruned/seed0'].checkpoint_path
    options = {'study.classification.parent': str(path), 'study.classification.arms': ['unpruned']}
    options['study.detection'] = []
    stage = AdoptClassifier(runs_of(Study.load(older_study / 'study.py', options))[0])
    config = stage.config()
    config.test_dataloader.dataset = dict(type='rethink_det.NoSuchData')
    config.val_dataloader = config.test_dataloader
    config.work_dir = str(older_study / 'run')
    (older_study / 'run').mkdir()
    result = stage.do(config, older_study / 'run')
    assert result.metrics == {} and 'metrics: ' in result.unmeasured
    assert load_config(older_study / 'classifier.py').test_dataloader  # it would have been there
