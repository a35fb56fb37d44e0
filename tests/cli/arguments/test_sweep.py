"""What ``rethink-det sweep`` may be told."""

import pytest

from rethink_det.cli.arguments.sweep import SWEEPS


@pytest.mark.parametrize('what', SWEEPS)
def test_each_can_be_asked_and_is_told(read, command, what):
    assert read(f'sweep {what}').what == what
    assert ''.join(f'{what}: {SWEEPS[what]}'.split()) in ''.join(
        command('sweep', '--help').out.split()
    )


def test_others_are_refused(misread):
    assert 'invalid choice' in misread('sweep heads')
