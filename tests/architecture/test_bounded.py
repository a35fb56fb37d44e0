"""No network is built that nothing could train, and what is refused has had no memory."""

import pytest
import torch
from torch import nn

from rethink_det import UserError
from rethink_det.architecture import bounded as module
from rethink_det.architecture.bounded import bounded


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(module, 'MODULES', 10)
    monkeypatch.setattr(module, 'VALUES', 1000)


def test_what_is_within_the_bounds_is_built(small):
    with bounded():
        network = nn.Sequential(*(nn.Linear(9, 9) for _ in range(9)))
    assert network(torch.zeros(1, 9)).shape == (1, 9)


def test_one_module_too_many_is_refused(small):
    with pytest.raises(UserError, match='more than 10 modules'), bounded():
        nn.Sequential(*(nn.Identity() for _ in range(11)))
    assert len(nn.Sequential(*(nn.Identity() for _ in range(11)))) == 11  # outside of it


@pytest.mark.parametrize('device', ['cpu', 'meta'])
@pytest.mark.parametrize(
    'make',
    [
        lambda: nn.Linear(40, 40),
        lambda: torch.zeros(1001),
        lambda: torch.ones((7, 11, 13)),
        lambda: torch.empty(size=(1001,)),
        lambda: torch.rand(1, 1001),
        lambda: torch.full((1001,), 1.0),
        lambda: [torch.zeros(300) for _ in range(4)],
    ],
)
def test_one_value_too_many_is_refused(small, make, device):
    with torch.device(device), pytest.raises(UserError, match='more than 1,000 values'), bounded():
        make()


def test_what_no_memory_holds_is_refused_before_it_has_any():
    with pytest.raises(UserError, match='more than 1,000,000,000 values'), bounded():
        nn.Linear(10**6, 10**6)
