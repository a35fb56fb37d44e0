"""What ``rethink-det train`` may be told."""

from rethink_det.arms import ARMS, STAGES


def test_resume_may_name_a_checkpoint(read):
    assert read('train net.py').resume is None
    assert read('train net.py --resume').resume == 'auto'
    assert read('train net.py --resume a.pth').resume == 'a.pth'


def test_help_lists_every_arm_of_every_stage(command):
    lines = command('train', '--help').out.splitlines()
    for stage in STAGES:
        listed = lines[lines.index(f'arms of {stage}:') + 1 :]
        for line, arm in zip(listed, ARMS.of(stage), strict=False):
            assert line.split() == [arm.name, *arm.meaning.split()]


def test_what_it_does_not_know_is_refused(misread):
    assert 'unrecognized arguments: --epochs 3' in misread('train net.py --epochs 3')
    assert 'invalid choice' in misread('train net.py --launcher ssh')
    assert 'invalid int' in misread('train net.py --seed x')
