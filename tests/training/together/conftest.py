"""Fixtures of runs that are trained together."""

import pytest
from mmengine.config import Config


@pytest.fixture
def member(tiny_config):
    """Makes the config of a member: the tiny one with this loop; ``loop`` are its settings."""

    def make(*args, loop=None, together=True, **changes) -> Config:
        config = tiny_config(*args, **changes)
        config.train_cfg.pop('by_epoch')
        config.train_cfg.update(type='rethink_det.FastEpochLoop', together=together, **(loop or {}))
        return config

    return make
