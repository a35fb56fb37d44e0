"""What ``rethink-det study`` may be told."""

from rethink_det.defaults import RETRIES, STALL_MINUTES


def test_a_study_alone_is_enough(read):
    options = read('study demo')
    assert (options.study, options.seeds, options.slurm) == ('demo', None, None)
    assert (options.retries, options.stall_minutes) == (RETRIES, STALL_MINUTES)


def test_a_cluster_may_be_taken_as_it_is(read):
    assert read('study demo --slurm').slurm == {}
    assert read('study demo --slurm timeout_min=600').slurm == {'timeout_min': 600}


def test_seeds_and_minutes_are_numbers(misread):
    assert 'invalid int' in misread('study demo --seeds 0 x')
    assert 'invalid float' in misread('study demo --stall-minutes long')
