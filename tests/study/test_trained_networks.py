"""A trained classifier or detector is pruned and evaluated before and after, without a command."""

import runpy
import shutil
from pathlib import Path

import pytest
import torch

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint, digest, save_checkpoint
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.classification.arm_config import classifier_architecture
from rethink_det.detection.measuring.cost import backbone_cost, detector_cost
from rethink_det.detection.transfer.adapt import with_shape
from rethink_det.errors import UserError
from rethink_det.layout import INITIAL
from rethink_det.pruning import build_pruner
from rethink_det.pruning.cost_goal import TOLERANCE
from rethink_det.study.trained_networks import (
    TrainedClassifier,
    TrainedDetector,
    trained_network,
)
from rethink_det.training.config import load_config
from rethink_det.training.launch import train
from rethink_det.training.resumable import last_checkpoint

HALF = {'type': 'L1NormPruner', 'ratios': 0.5}


@pytest.fixture
def classifier(tiny_config):
    """A trained classifier, and the metrics that its training ended with."""
    config = tiny_config()
    metrics = train(config)
    return trained_network(config, last_checkpoint(config.work_dir)), metrics


def test_a_classifier_is_evaluated_as_its_training_did(classifier):
    network, metrics = classifier
    assert isinstance(network, TrainedClassifier)
    assert network.evaluate() == metrics
    assert network.architecture == classifier_architecture(network.config)
    assert network.cost() == network.architecture.cost()


def test_its_pruned_checkpoint_says_what_it_is(classifier, tmp_path):
    network, metrics = classifier
    before = digest(network.checkpoint.weights)
    pruned = network.prune(HALF)
    path = tmp_path / 'pruned.pth'
    written = network.save_pruned(pruned, path, HALF, network.initial_weights())
    assert digest(network.checkpoint.weights) == before
    checkpoint = Checkpoint.read(path)
    assert checkpoint.digest == written != before
    assert PrunedArchitecture.load(path) == pruned.architecture
    assert checkpoint.provenance.pruner == HALF
    assert checkpoint.provenance.parent == network.checkpoint.as_parent()
    assert checkpoint.provenance.parent.digest == before
    assert checkpoint.initial.keys() == checkpoint.state_dict.keys()
    assert checkpoint.input_convention == InputConvention('rgb', (125.0,) * 3, (60.0,) * 3)
    assert network.cost(pruned.architecture).macs < network.cost().macs
    assert network.evaluate_pruned(path).keys() == metrics.keys()


def test_what_loses_nothing_is_as_good_as_before(classifier, tmp_path):
    network, metrics = classifier
    whole = {'type': 'L1NormPruner', 'target': network.architecture}
    pruned = network.prune(build_pruner(whole))
    assert pruned.architecture.cost() == network.cost()
    network.save_pruned(pruned, tmp_path / 'whole.pth', HALF)
    assert network.evaluate_pruned(tmp_path / 'whole.pth') == metrics


def test_a_pruned_classifier_is_pruned_on(classifier, tmp_path):
    network, _ = classifier
    network.save_pruned(network.prune(HALF), tmp_path / 'once.pth', HALF)
    again = trained_network(network.config, tmp_path / 'once.pth')
    assert again.architecture == PrunedArchitecture.load(tmp_path / 'once.pth')
    assert again.prune(HALF).architecture.cost().macs < again.cost().macs


def test_initial_weights_are_those_of_the_training(classifier, tmp_path):
    network, _ = classifier
    found = network.initial_weights()
    elsewhere = shutil.move(
        Path(network.checkpoint.path).with_name(INITIAL), tmp_path / 'elsewhere.pth'
    )
    assert network.initial_weights() is None
    given = network.initial_weights(elsewhere)
    assert all(torch.equal(given[name], tensor) for name, tensor in found.items())
    with pytest.raises(UserError, match='gone.pth does not exist'):
        network.initial_weights('gone.pth')


def test_what_cannot_be_pruned_is_refused(classifier, tmp_path):
    network, _ = classifier
    with pytest.raises(UserError, match="Unknown pruner 'L2'"):
        network.prune({'type': 'L2'})
    with pytest.raises(UserError, match='gone.pth does not exist'):
        trained_network(network.config, 'gone.pth')
    save_checkpoint({'state_dict': {'backbone.conv1.weight': torch.ones(3)}}, tmp_path / 'a.pth')
    with pytest.raises(UserError, match='another architecture'):
        trained_network(network.config, tmp_path / 'a.pth').prune(HALF)
    network.config.test_dataloader = None
    with pytest.raises(UserError, match='no test_dataloader'):
        network.evaluate()


@pytest.fixture
def detector(shared, tmp_path, monkeypatch):
    """A detector of coloured rectangles, its backbone pruned before, and its data."""
    tools = shared / 'cases' / 'tools'
    if not tools.is_dir():
        pytest.skip(f'no trained detector: {tools} is not there')
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(tools / 'toy.py'))['make']('toy')
    return trained_network(load_config(tools / 'toydet_cfg.py'), tools / 'toydet.pth')


def test_a_detector_is_pruned_and_evaluated_in_five_lines(detector, tmp_path):
    assert isinstance(detector, TrainedDetector)
    assert detector.cost() == backbone_cost(detector.architecture)
    target = {'type': 'L1NormPruner', 'ratios': 0.7}
    pruned = detector.prune(target)
    detector.save_pruned(pruned, tmp_path / 'pruned.pth', target)
    before, after = detector.evaluate(), detector.evaluate_pruned(tmp_path / 'pruned.pth')
    assert before['coco/bbox_mAP'] > 0.4  # it was trained on such images
    assert before.keys() == after.keys()
    assert after['coco/bbox_mAP'] < before['coco/bbox_mAP']
    assert detector.cost(pruned.architecture).macs < detector.cost().macs
    assert trained_network(detector.config, 'pruned.pth').architecture == pruned.architecture


def test_a_goal_is_that_of_the_whole_detector(detector):
    def macs(shape):
        return detector_cost(with_shape(detector.config, shape)).whole.macs

    pruned = detector.prune({'type': 'L1NormPruner', 'macs': 0.85})
    whole, left = macs(detector.architecture), macs(pruned.architecture)
    assert pruned.goal.before == whole and pruned.goal.after == left
    assert abs(left - 0.85 * whole) <= TOLERANCE * 0.85 * whole
    with pytest.raises(UserError, match='nothing is to go'):
        detector.prune({'type': 'L1NormPruner', 'macs': 2 * whole})


def test_a_detector_without_its_images_is_not_evaluated(detector, tmp_path):
    shutil.rmtree(tmp_path / 'toy' / 'val')
    with pytest.raises(UserError, match='toy/val'):
        detector.evaluate()
    with pytest.raises(UserError, match='detectors have no lottery arm'):
        detector.initial_weights('initial.pth')
