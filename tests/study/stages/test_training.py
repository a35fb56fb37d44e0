"""What a training ended in; one that diverged is a failure that is seen."""

from rethink_det.study.execute import execute_study


def test_an_arm_that_diverges_is_a_failed_run_of_its_parent(study, tmp_path):
    results = execute_study(study(fine_tune_lr=1e30), tmp_path)
    (lost,) = results.incomplete
    assert (lost.arm, lost.status) == ('fine-tune', 'failed')
    assert 'The training diverged: ' in lost.error
    unpruned = next(run for run in results.runs if run.arm == 'unpruned')
    assert lost.parent_digest == unpruned.digest is not None
