"""What a training ended in; one that diverged is a failure that is seen."""

from mmengine.config import Config

from rethink_det.study.execute import execute_study


def test_an_arm_that_diverges_is_a_failed_run_of_its_parent(study, tmp_path):
    made = study(fine_tune_lr=1000.0)
    # At fine-tuning's learning rate every step multiplies the weights by ten thousand.
    net = Config.fromfile(tmp_path / 'net.py')
    net.optim_wrapper.optimizer.weight_decay = 10.0
    net.train_dataloader.batch_size = 2
    net.dump(tmp_path / 'net.py')
    results = execute_study(made, tmp_path)
    (lost,) = results.incomplete
    assert (lost.arm, lost.status) == ('fine-tune', 'failed')
    assert 'The training diverged: ' in lost.error
    unpruned = next(run for run in results.runs if run.arm == 'unpruned')
    assert lost.parent_digest == unpruned.digest is not None
