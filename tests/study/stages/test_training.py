"""What a training ended in; one that diverged is a failure that is seen."""

import pytest
import torch

from rethink_det.errors import UserError
from rethink_det.study.execute import execute_study
from rethink_det.study.stages.training import outcome_of
from tests.checkpoints import checkpoint


@pytest.mark.parametrize('value', [1.0, float('-inf')])
def test_masks_of_infinite_values_are_no_divergence(tmp_path, value):
    weights = {'a.mask': torch.full((2,), value), 'a.count': torch.tensor(3)}
    checkpoint(weights).write(tmp_path / 'epoch_1.pth')
    assert set(outcome_of(tmp_path / 'epoch_1.pth').state_dict) == set(weights)


def test_a_weight_that_is_no_number_is_refused(tmp_path):
    weights = {'a.weight': torch.ones(2), 'b.weight': torch.tensor([1.0, float('nan')])}
    checkpoint(weights).write(tmp_path / 'epoch_1.pth')
    with pytest.raises(UserError, match='diverged: b.weight in epoch_1.pth is not a number'):
        outcome_of(tmp_path / 'epoch_1.pth')


def test_an_arm_that_diverges_is_a_failed_run_of_its_parent(study, tmp_path):
    results = execute_study(study(fine_tune_lr=1e30), tmp_path)
    (lost,) = results.incomplete
    assert (lost.arm, lost.status) == ('fine-tune', 'failed')
    assert 'The training diverged: ' in lost.error
    unpruned = next(run for run in results.runs if run.arm == 'unpruned')
    assert lost.parent_digest == unpruned.digest is not None
