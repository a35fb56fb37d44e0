"""``train --backbone`` on a detector: a mistake is one clear message and leaves nothing behind."""

import pytest

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import load_checkpoint, save_checkpoint

DETECTOR = 'detection/faster-rcnn_r18-w16_fpn_shapes.py'
CONVENTION = dict(channels='bgr', mean=[103.53, 116.28, 123.675], std=[1.0, 1.0, 1.0])


@pytest.fixture
def small(tmp_path):
    """Writes the checkpoint of a classifier whose backbone fits :data:`DETECTOR`."""

    def write(name='small.pth', **backbone):
        settings = dict(type='mmdet.ResNet', depth=18, base_channels=16, zero_init_residual=False)
        head = dict(type='rethink_det.LinearHead', num_classes=8)
        architecture = PrunedArchitecture(settings | backbone, head, (3, 32, 32))
        state = architecture.build_network().state_dict()
        meta = {'architecture': architecture.to_dict(), 'input_convention': CONVENTION}
        save_checkpoint({'meta': meta, 'state_dict': state}, tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def refused(refusal, tmp_path):
    """The message of a detector's training that must not begin."""

    def run(backbone, arm='prune-c', settings=()) -> str:
        work = tmp_path / 'work'
        message = refusal(
            'train', DETECTOR, '--backbone', backbone, '--arm', arm, '--work-dir', work,
            *(['--arm-settings', *settings] if settings else []),
        )  # fmt: skip
        assert not work.exists()
        return message

    return run


def test_bad_checkpoint_is_named(refused, bad_checkpoint):
    assert str(bad_checkpoint) in refused(bad_checkpoint)


def test_arm_of_a_classifier_lists_those_of_detectors(refused, small):
    assert "'fine-tune'; known are unpruned, prune-c" in refused(small(), 'fine-tune')


@pytest.mark.parametrize(
    'arm, setting, parts',
    [
        ('random', 'epoch=3', ("'epoch'", 'schedule, epochs, budget, sync_bn, untuned.')),
        ('random', 'schedule=9x', ("'9x'", '1x to 6x')),
        ('prune-c', 'schedule=6x', ('schedule=6x is for arm random',)),
    ],
)
def test_setting_of_no_use_is_named(refused, small, arm, setting, parts):
    message = refused(small(), arm, settings=[setting])
    assert all(part in message for part in parts), message


def test_pruning_passes_on_how_images_are_normalised(command, classifier, trained, tmp_path):
    config = classifier()
    done = command(
        'prune', config, trained, '--pruner', 'L1NormPruner', '--pruner-options', 'ratios=0.5',
        '--no-eval', '-o', tmp_path / 'by-config.pth',
    )  # fmt: skip
    assert done.status == 0
    meta = load_checkpoint(tmp_path / 'by-config.pth')['meta']
    assert meta['input_convention'] == dict(channels='rgb', mean=[125.0] * 3, std=[60.0] * 3)

    checkpoint = load_checkpoint(trained)
    checkpoint['meta']['input_convention'] = CONVENTION
    save_checkpoint(checkpoint, trained)
    done = command(
        'prune', config, trained, '--pruner', 'L1NormPruner', '--pruner-options', 'ratios=0.5',
        '--no-eval', '-o', tmp_path / 'by-itself.pth',
    )  # fmt: skip
    assert load_checkpoint(tmp_path / 'by-itself.pth')['meta']['input_convention'] == CONVENTION
