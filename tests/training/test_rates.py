"""Learning rates as tensors for as long as a step is recorded, and numbers at all other times."""

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch.optim import SGD

from rethink_det.training.rates import ON_GPU, Rates

CPU = torch.device('cpu')


@pytest.fixture
def wrapper():
    one, other = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    groups = [dict(params=[one], lr=0.3), dict(params=[other])]
    return OptimWrapper(SGD(groups, lr=0.1))


def rates_of(wrapper):
    """Those of its two groups, and the base rate that MMEngine keeps beside them."""
    return [group['lr'] for group in wrapper.param_groups]


def test_the_optimizer_steps_by_what_the_tensors_hold(wrapper):
    rates = Rates(wrapper, CPU)
    rates.update()
    with rates.in_force():
        held = rates_of(wrapper)
        assert all(isinstance(rate, torch.Tensor) and rate.ndim == 0 for rate in held)
        for group in wrapper.optimizer.param_groups:
            group['params'][0].grad = torch.ones(2)
        wrapper.step()
    moved = [1 - group['params'][0][0].item() for group in wrapper.optimizer.param_groups]
    assert moved == pytest.approx([0.3, 0.1])
    assert rates_of(wrapper) == [0.3, 0.1, 0.1]
    wrapper.optimizer.param_groups[0]['lr'] = 0.03  # as a schedule does
    assert held[0].item() == 0.3  # what was recorded reads the same tensor,
    rates.update()
    assert held[0].item() == 0.03  # and finds the new rate there


def test_after_an_error_they_are_numbers_again(wrapper):
    rates = Rates(wrapper, CPU)
    with pytest.raises(ZeroDivisionError), rates.in_force():
        raise ZeroDivisionError
    assert rates_of(wrapper) == [0.3, 0.1, 0.1]
    assert isinstance(wrapper.state_dict()['param_groups'][0]['lr'], float)


@pytest.mark.parametrize('kind', ON_GPU, ids=lambda kind: kind.__name__)
def test_what_is_set_on_a_gpu_is_a_setting_of_that_optimizer(kind):
    assert ON_GPU[kind].keys() <= kind([torch.nn.Parameter(torch.ones(1))], lr=0.1).defaults.keys()
