"""What a member takes is estimated before anything is trained."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rethink_det import UserError
from rethink_det.training.together.memory import USABLE, free_bytes, member_bytes, most_members

GIB = 2**30


def test_it_grows_with_the_batch_the_width_and_the_images(member):
    config = member(epochs=1)
    config.train_dataloader.batch_size = 512
    usual = member_bytes(config, 24)
    assert member_bytes(config, 25) - usual == 3 * 8 * 8
    config.train_dataloader.batch_size *= 2
    assert 1.5 * usual < member_bytes(config, 24) < 2.1 * usual
    config.model.backbone.base_channels *= 2
    assert member_bytes(config, 24) > 3 * usual


def test_it_is_about_what_autograd_keeps(member):
    """ResNet-8 keeps of each of 9 layers a map before and after its BatchNorm."""
    config = member(epochs=1)
    maps = 8 * 8 * 8 * 4 * (4 * 1 + 4 * 0.5 + 4 * 0.25)  # batch, pixels, channels of three stages
    assert 4 * maps < member_bytes(config, 0) < 24 * maps


def test_nothing_is_allocated(member):
    config = member(epochs=1)
    config.train_dataloader.batch_size = 10**6
    config.model.backbone.base_channels = 512
    assert member_bytes(config, 0) > 1000 * GIB


def test_what_cannot_be_built_is_refused(member):
    config = member(epochs=1)
    config.model.backbone.depth = 9
    with pytest.raises(UserError, match='depth'):
        member_bytes(config, 0)


@given(st.integers(1, 10**12), st.integers(0, 10**13))
def test_as_many_as_fit_and_one_in_any_case(each, free):
    most = most_members(each, free)
    assert most == 1 or most * each <= USABLE * free
    assert (most + 1) * each > USABLE * free * (1 - 1e-9)


def test_there_is_some_memory(monkeypatch):
    assert 0 < free_bytes() < 10**16
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'mem_get_info', lambda: (5, 9))
    assert free_bytes() == 5
