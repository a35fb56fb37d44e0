"""Whether a checkpoint is of a config's model."""

import pytest

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.classification.arm_config import classifier_architecture
from rethink_det.errors import UserError
from rethink_det.training.misfit import misfit


def test_what_does_not_fill_the_model_is_said(tiny_config):
    config = tiny_config()
    state = classifier_architecture(config).build_network().state_dict()
    assert misfit(config, Checkpoint.from_dict({'meta': {}, 'state_dict': state})) is None
    state.pop(next(iter(state)))
    told = misfit(config, Checkpoint.from_dict({'meta': {}, 'state_dict': state}))
    assert told is not None and 'it has no backbone.' in told
    config.model.backbone.depth = 9
    with pytest.raises(UserError):
        misfit(config, Checkpoint.from_dict({'meta': {}, 'state_dict': state}))
