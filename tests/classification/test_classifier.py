"""The classifier: any backbone under the names that a detector uses."""

import pytest
import torch
import torchvision
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import DefaultScope

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture
from rethink_det.classification import CifarResNet, Classifier, LinearHead

CIFAR = dict(type='rethink_det.CifarResNet', depth=8, base_channels=4)
HEAD = dict(type='rethink_det.LinearHead', num_classes=3)


def small(**changes):
    return Classifier(**{**dict(backbone=CIFAR, head=HEAD, input_shape=(3, 16, 16)), **changes})


def test_names_are_torchvisions_behind_backbone():
    backbone = dict(type='mmdet.ResNet', depth=18)
    ours = Classifier(backbone, dict(HEAD, num_classes=1000), (3, 64, 64)).state_dict()
    theirs = torchvision.models.resnet18().state_dict()
    renamed = {
        name.replace('fc.', 'head.fc.') if name.startswith('fc.') else f'backbone.{name}': t.shape
        for name, t in theirs.items()
    }
    assert {name: t.shape for name, t in ours.items()} == renamed


@pytest.mark.parametrize('scope', ['mmengine', 'mmdet', 'rethink_det'])
@pytest.mark.parametrize(
    'backbone, head', [('CifarResNet', 'LinearHead'), (CifarResNet, LinearHead)]
)
def test_its_architecture_can_be_written_however_its_types_are(scope, backbone, head, tmp_path):
    named = dict(backbone=dict(CIFAR, type=backbone), head=dict(HEAD, type=head))
    with DefaultScope.overwrite_default_scope(scope):
        model = small(**named)
        assert model.architecture == small().architecture
    model.architecture.save(tmp_path / 'a.json')
    assert PrunedArchitecture.load(tmp_path / 'a.json') == model.architecture
    pruned = dict(type='PrunedBackbone', architecture=str(tmp_path / 'a.json'))
    wider = Classifier(pruned, dict(type=LinearHead, num_classes=7))
    assert wider.architecture.head['type'] == 'rethink_det.LinearHead'
    with pytest.raises(UserError, match='needs a head and an input_shape'):
        small(backbone=dict(CIFAR, type=backbone), head=None)


def test_the_modes_agree_with_one_another():
    model = small().eval()
    images, labels = torch.randn(4, 3, 16, 16), torch.tensor([0, 1, 2, 0])
    scores = model(images)
    assert scores.shape == (4, 3)
    (prediction,) = model(images, labels, mode='predict')
    assert torch.equal(prediction['scores'], scores)
    assert torch.equal(prediction['gt_label'], labels)
    chances = scores.softmax(1)[range(4), labels]
    loss = model(images, labels, mode='loss')['loss']
    assert loss.item() == pytest.approx(-chances.log().mean().item(), abs=1e-6)


def test_it_knows_its_architecture():
    expected = PrunedArchitecture(CIFAR, HEAD, (3, 16, 16))
    assert small().architecture == expected
    expected.build_network().load_state_dict(small().state_dict())


def test_a_pruned_backbone_brings_head_and_input_along():
    pruned = PrunedArchitecture(CIFAR, HEAD, (3, 16, 16), {'layer1.0.conv1': (0, 2)}, name='tiny-a')
    backbone = dict(type='rethink_det.PrunedBackbone', architecture=pruned.to_dict())
    model = Classifier(backbone)
    assert model.architecture == pruned and model.architecture.name == 'tiny-a'
    assert model(torch.zeros(2, 3, 16, 16)).shape == (2, 3)
    other = Classifier(backbone, head=dict(HEAD, num_classes=7), input_shape=(3, 32, 32))
    assert other.architecture.channels == pruned.channels
    assert other(torch.zeros(2, 3, 32, 32)).shape == (2, 7)


def test_mmengine_builds_it_by_its_scoped_name():
    config = dict(type='rethink_det.Classifier', backbone=CIFAR, head=HEAD, input_shape=(3, 16, 16))
    assert isinstance(MMENGINE_MODELS.build(config), Classifier)


def test_the_head_pools_the_whole_map():
    head = LinearHead(2, 3)
    feature = torch.randn(5, 2, 4, 6)
    assert torch.allclose(head(feature), head.fc(feature.mean(dim=(2, 3))), atol=1e-6)


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(head=None), 'head'),
        (dict(input_shape=None), 'input_shape'),
        (dict(input_shape=(3, 16)), 'input_shape'),
        (dict(input_shape=(1, 16, 16)), r'\(1, 16, 16\)'),
        (dict(backbone=dict(type='rethink_det.NoSuchNet')), 'NoSuchNet'),
        (dict(backbone=dict(CIFAR, depth=9)), 'depth must be 6n'),
        (dict(backbone=dict(type='rethink_det.PrunedBackbone', architecture='x')), 'No archit'),
        (dict(head=dict(type='rethink_det.NoSuchHead')), 'NoSuchHead'),
        (dict(head=dict(HEAD, classes=3)), 'classes'),
    ],
)
def test_a_classifier_that_cannot_be_is_refused(changes, message):
    with pytest.raises(UserError, match=message):
        small(**changes)


@pytest.mark.parametrize('backbone', [None, 'rethink_det.CifarResNet', 3])
def test_a_backbone_that_is_no_config_is_refused(backbone):
    with pytest.raises(UserError, match='A backbone config is a dict, got'):
        small(backbone=backbone)


def test_a_pruned_backbone_without_architecture_is_refused():
    with pytest.raises(UserError, match='PrunedBackbone.*architecture'):
        small(backbone=dict(type='rethink_det.PrunedBackbone'))


def test_an_unknown_question_is_refused():
    with pytest.raises(UserError, match="mode must be one of tensor, loss, predict, got 'lossy'"):
        small()(torch.zeros(1, 3, 16, 16), mode='lossy')


def test_a_loss_without_labels_is_refused():
    with pytest.raises(ValueError, match='a loss needs gt_label'):
        small()(torch.zeros(1, 3, 16, 16), mode='loss')
