"""``train --backbone`` with weights of another arm: refused by name, with a remedy, at once."""

import pytest

from rethink_det.architecture import Cut, PrunedArchitecture
from rethink_det.training.config import find_config
from tests.checkpoints import checkpoint, of_arm

DETECTOR = 'detection/faster-rcnn_r18-w16_fpn_shapes.py'


@pytest.fixture
def small(tmp_path):
    """Writes the checkpoint of a classifier, pruned or not, whose backbone fits the detector."""

    def write(arm, pruned=True, name='small.pth'):
        backbone = dict(type='mmdet.ResNet', depth=18, base_channels=16, zero_init_residual=False)
        head = dict(type='rethink_det.LinearHead', num_classes=8)
        architecture = PrunedArchitecture(backbone, head, (3, 32, 32))
        if pruned:
            architecture = architecture.after(Cut(channels={'layer1.0.conv1': tuple(range(5))}))
        state = architecture.build_network().state_dict()
        checkpoint(state, architecture, arm=arm).write(tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def refused(refusal, tmp_path):
    """The message of a training that must leave no work dir."""

    def run(config, source, arm, *settings):
        line = ('train', config, '--backbone', source, '--arm', arm)
        message = refusal(*line, '--work-dir', tmp_path / 'work', *settings)
        assert not (tmp_path / 'work').exists()
        assert source.name in message
        return message

    return run


@pytest.mark.parametrize(
    'arm, own, pruned, remedy',
    [
        ('prune-c', 'scratch-e', True, 'take --arm scratch-e'),
        ('prune-c', 'pruned', True, 'untuned=True'),
        ('prune-c', 'unpruned', False, 'take --arm unpruned'),
        ('unpruned', 'fine-tune', True, 'take --arm prune-c'),
        ('scratch-b', 'fine-tune', True, 'take --arm prune-c'),
        ('scratch-e', 'lottery', True, 'Give such a checkpoint'),
        ('unpruned', 'initial', False, 'Give such a checkpoint'),
    ],
)
def test_a_detector_takes_no_other_arms_classifier(small, refused, arm, own, pruned, remedy):
    message = refused(DETECTOR, small(own, pruned), arm)
    assert f'but arm {arm} takes those of arm' in message
    assert remedy in message


@pytest.mark.parametrize(
    'arm, own, pruned', [('prune-c', None, False), ('unpruned', 'converted', True)]
)
def test_a_file_that_names_no_arm_is_judged_by_its_shape(small, refused, arm, own, pruned):
    kind = 'a pruned' if pruned else 'an unpruned'
    assert f'is of {kind} network, but arm {arm}' in refused(DETECTOR, small(own, pruned), arm)


@pytest.mark.parametrize('arm', ['unpruned', 'scratch-e'])
def test_no_fine_tuning_is_no_setting_of_another_arm(small, refusal, tmp_path, arm):
    line = ('train', DETECTOR, '--backbone', small('pruned'), '--arm', arm)
    message = refusal(*line, '--arm-settings', 'untuned=True', '--work-dir', tmp_path / 'work')
    assert f'untuned=True is for arm prune-c: arm {arm} takes no network' in message


@pytest.mark.parametrize('arm', ['fine-tune', 'lottery'])
@pytest.mark.parametrize('own', ['unpruned', 'fine-tune', 'scratch-e'])
def test_a_classifier_goes_on_from_what_pruning_wrote_alone(classifier, trained, refused, arm, own):
    message = refused(classifier(), of_arm(trained, own), arm)
    assert f'of arm {own}, but arm {arm} takes those that pruning a classifier wrote' in message
    assert 'rethink-det prune' in message


def test_a_config_of_a_users_own_is_checked_alike(small, refusal, tmp_path):
    source = small('scratch-e')
    hook = dict(type='rethink_det.TransferHook', arm='prune-c', checkpoint=str(source))
    backbone = dict(_delete_=True, type='rethink_det.PrunedBackbone', architecture=str(source))
    mine = tmp_path / 'mine.py'
    mine.write_text(
        f'_base_ = {find_config(DETECTOR)!r}\nmodel = dict(backbone={backbone!r})\n'
        f'custom_hooks = [{hook!r}]\n'
    )
    message = refusal('train', mine, '--work-dir', tmp_path / 'work')
    assert 'small.pth: its weights are of arm scratch-e, but arm prune-c takes' in message
    assert not (tmp_path / 'work').exists()
