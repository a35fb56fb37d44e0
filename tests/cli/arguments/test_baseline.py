"""What ``rethink-det baseline`` may be told."""

from rethink_det.arms import ARMS, CLASSIFICATION


def test_arms_of_the_shape_and_three_seeds_if_nothing_is_said(read):
    options = read('baseline a.pth --config net.py')
    assert {'scratch-e', 'scratch-b'} <= {*options.arms}
    assert all(ARMS.get(CLASSIFICATION, arm).pruned for arm in options.arms)
    assert len({*options.seeds}) == 3


def test_it_takes_what_a_study_takes(read):
    told = '--workers 3 --retries 2 --slurm cluster=local'
    options, study = read(f'baseline a.pth --config net.py {told}'), read(f'study demo {told}')
    for name in ('workers', 'retries', 'stall_minutes', 'slurm', 'share', 'dry_run'):
        assert getattr(options, name) == getattr(study, name)


def test_the_recipe_is_needed(misread):
    assert '--config' in misread('baseline a.pth')
