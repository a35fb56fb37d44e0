"""Weights of another arm are refused with a remedy; what a file does not say is said."""

import pytest
import torch

from rethink_det import UserError
from rethink_det.architecture import Cut
from rethink_det.arms import ARMS, CLASSIFICATION, DETECTION, STEPS
from rethink_det.training.arm_weights import check_given_parent, check_weights, weights_of
from tests.checkpoints import checkpoint

CLASSIFIER = {'backbone.conv1.weight': torch.zeros(1), 'head.fc.bias': torch.zeros(1)}
DETECTOR = {'backbone.conv1.weight': torch.zeros(1), 'neck.conv.weight': torch.zeros(1)}
TAKING = [arm for arm in ARMS if arm.takes_weights]
FITTING = {
    ('classification', 'fine-tune'): ('pruned',),
    ('classification', 'rewind'): ('pruned',),
    ('classification', 'lottery'): ('pruned',),
    ('detection', 'unpruned'): ('unpruned',),
    ('detection', 'prune-c'): ('fine-tune',),
    ('detection', 'prune-d'): ('pruned',),
    ('detection', 'unpruned-d'): ('unpruned',),
    ('detection', 'scratch-e'): ('scratch-e',),
    ('detection', 'scratch-b'): ('scratch-b',),
    ('segmentation', 'unpruned'): ('unpruned',),
    ('segmentation', 'prune-c'): ('fine-tune',),
    ('segmentation', 'scratch-e'): ('scratch-e',),
    ('segmentation', 'scratch-b'): ('scratch-b',),
}
CLASSIFIERS = [*ARMS.names(CLASSIFICATION), *STEPS]


def kind(arm):
    return DETECTOR if arm.whole else CLASSIFIER


def named(arm):
    return f'{arm.stage}-{arm.name}'


@pytest.mark.parametrize('own', CLASSIFIERS)
@pytest.mark.parametrize('arm', TAKING, ids=named)
def test_an_arm_takes_the_weights_of_one_arm_or_step_alone(arm, own):
    given = checkpoint(kind(arm), arm=own, path='some.pth')
    if own in FITTING[arm.stage, arm.name]:
        unknown = check_weights(arm, given)
        # Of a pruned detector it matters how it was trained before.
        assert (unknown is None) == (not (arm.whole and arm.pruned))
    elif own == 'converted':
        assert 'some.pth: converted from the file of another tool' in check_weights(arm, given)
    else:
        words = STEPS.get(own, f'of arm {own}')
        message = f'some.pth: its weights are {words}.*arm {arm.name} takes .*Give such'
        with pytest.raises(UserError, match=message):
            check_weights(arm, given)


@pytest.mark.parametrize('arm', TAKING, ids=named)
def test_a_file_that_says_nothing_is_taken_and_that_is_said(arm):
    unknown = check_weights(arm, checkpoint(kind(arm), path='old.pth'))
    assert unknown.startswith('old.pth: a file that says nothing of its arm')
    assert 'not known which arm its weights are of' in unknown
    assert f'arm {arm.name} takes {weights_of(arm)}' in unknown


@pytest.mark.parametrize(
    'arm, own, remedy',
    [
        ('prune-c', 'scratch-e', 'take --arm scratch-e'),
        (
            'prune-c',
            'pruned',
            'by --arm fine-tune first, or take it as it is by --arm-settings unt',
        ),
        ('unpruned', 'fine-tune', 'take --arm prune-c'),
        ('scratch-b', 'fine-tune', 'take --arm prune-c'),
        ('scratch-b', 'lottery', 'Give such a checkpoint.$'),
        ('scratch-e', 'pruned', 'Give such a checkpoint.$'),
    ],
)
def test_the_remedy_is_what_would_do(arm, own, remedy):
    with pytest.raises(UserError, match=f'arm {arm} takes those of arm .*{remedy}'):
        check_weights(ARMS.get(DETECTION, arm), checkpoint(CLASSIFIER, arm=own))


@pytest.mark.parametrize('own', ['fine-tune', 'scratch-e', 'unpruned'])
def test_what_is_trained_already_is_not_fine_tuned_again(own):
    message = f'of arm {own}, but arm fine-tune takes those that pruning a classifier wrote'
    with pytest.raises(UserError, match=f'{message}.*rethink-det prune'):
        check_weights(ARMS.get(CLASSIFICATION, 'fine-tune'), checkpoint(CLASSIFIER, arm=own))


# -- detectors -----------------------------------------------------------------------------

PRUNE_D = ARMS.get(DETECTION, 'prune-d')


@pytest.mark.parametrize('before', ['unpruned', 'prune-d'])
def test_a_pruned_detector_goes_on(before):
    """Once more, too."""
    assert check_weights(PRUNE_D, checkpoint(DETECTOR, arm='pruned', parent_arm=before)) is None


@pytest.mark.parametrize('before', ['prune-c', 'scratch-e', 'scratch-b', 'random'])
def test_a_detector_whose_backbone_came_another_way_is_no_prune_d(before):
    given = checkpoint(DETECTOR, arm='pruned', parent_arm=before, path='cut.pth')
    with pytest.raises(UserError, match=f'cut.pth: .*of arm {before} before.*arm unpruned'):
        check_weights(PRUNE_D, given)


@pytest.mark.parametrize('own', ARMS.names(DETECTION))
def test_a_detector_that_was_not_pruned_is_no_prune_d(own):
    with pytest.raises(UserError, match=f'of arm {own}, but arm prune-d takes those that pruning'):
        check_weights(PRUNE_D, checkpoint(DETECTOR, arm=own))


@pytest.mark.parametrize('arm', TAKING, ids=named)
def test_a_detector_and_a_classifier_are_told_apart_by_their_tensors(arm):
    (own,) = FITTING[arm.stage, arm.name]
    other = checkpoint(CLASSIFIER if arm.whole else DETECTOR, arm=own, path='other.pth')
    message = 'is of a classifier' if arm.whole else 'is of a detector'
    with pytest.raises(UserError, match=f'other.pth {message}, and arm {arm.name}'):
        check_weights(arm, other)


# -- files that do not name their arm ------------------------------------------------------


@pytest.mark.parametrize('own', [None, 'converted'])
@pytest.mark.parametrize('arm', TAKING, ids=named)
def test_whether_it_is_pruned_a_file_says_in_any_case(arm, own, cifar):
    whole = cifar()
    cut = whole.after(Cut(channels={'layer1.0.conv1': (0, 2)}))
    right, wrong = (cut, whole) if arm.pruned else (whole, cut)
    assert check_weights(arm, checkpoint(kind(arm), right, arm=own))
    words = 'an unpruned network' if arm.pruned else 'a pruned network'
    with pytest.raises(UserError, match=f'old.pth is of {words}, but arm {arm.name} takes'):
        check_weights(arm, checkpoint(kind(arm), wrong, arm=own, path='old.pth'))


# -- a network that a study is given -------------------------------------------------------


@pytest.mark.parametrize('own', CLASSIFIERS)
def test_a_study_is_given_an_unpruned_network(own):
    given = checkpoint(CLASSIFIER, arm=own, path='given.pth')
    if own == 'unpruned':
        assert check_given_parent(given) is None
    elif own == 'converted':
        assert 'given.pth: converted from the file of another tool' in check_given_parent(given)
    else:
        words = 'given.pth: .* but a study that is given its parent takes those of arm unpruned'
        with pytest.raises(UserError, match=f'{words}.* or none, and the study trains one'):
            check_given_parent(given)


def test_a_pruned_network_is_no_parent_whatever_it_says(cifar):
    cut = cifar().after(Cut(channels={'layer1.0.conv1': (0, 2)}))
    assert 'says nothing' in check_given_parent(checkpoint(CLASSIFIER, cifar()))
    with pytest.raises(UserError, match='is of a pruned network, but a study'):
        check_given_parent(checkpoint(CLASSIFIER, cut))


# -- asked aloud ---------------------------------------------------------------------------


def test_a_network_that_was_not_fine_tuned_can_be_asked_for():
    untuned = ARMS.untuned(ARMS.get(DETECTION, 'prune-c'))
    assert check_weights(untuned, checkpoint(CLASSIFIER, arm='pruned')) is None
    assert not untuned.keeps_statistics
    with pytest.raises(UserError, match='of arm fine-tune, but .*leave out untuned=True'):
        check_weights(untuned, checkpoint(CLASSIFIER, arm='fine-tune'))


@pytest.mark.parametrize('arm', [arm for arm in ARMS if arm.name != 'prune-c'], ids=named)
def test_an_arm_without_fine_tuning_cannot_go_without_it(arm):
    with pytest.raises(UserError, match=f'untuned=True is for arm prune-c: arm {arm.name} takes'):
        ARMS.untuned(arm)
