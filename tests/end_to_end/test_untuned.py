"""Prune-C without the fine-tuning: asked for aloud, and said wherever the result is."""

import pytest

from rethink_det.architecture import Cut
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.classification.arm_config import architecture_of
from rethink_det.training.config import load_config
from tests.checkpoints import checkpoint


@pytest.fixture
def folder(write_configs, tmp_path):
    """Configs of a small detector, and its backbone's classifier as pruning leaves it."""
    folder = write_configs(tmp_path)
    whole = architecture_of(load_config(folder / 'classifier.py'))
    cut = whole.after(Cut(channels={'layer1.0.conv1': (0, 2, 5)}))
    state = cut.inherit(whole.build_network().state_dict())
    checkpoint(state, cut, arm='pruned', parent_arm='unpruned').write(folder / 'pruned.pth')
    return folder


def test_log_and_checkpoint_say_that_it_was_not_fine_tuned(folder, command):
    work = folder / 'work'
    done = command(
        'train', folder / 'detector.py', '--backbone', folder / 'pruned.pth', '--arm', 'prune-c',
        '--arm-settings', 'untuned=True', '--work-dir', work,
    )  # fmt: skip
    assert done.status == 0, done
    provenance = Checkpoint.read(work / 'epoch_1.pth').provenance
    assert (provenance.arm, provenance.parent.arm) == ('prune-c', 'pruned')
    (log,) = work.rglob('*.log')
    assert 'pruned.pth is pruned and not fine-tuned' in log.read_text()
    # Its statistics are those of the uncut network, so none are kept and no stage is frozen.
    config = load_config(next(work.glob('*.py')))
    assert (config.model.backbone.frozen_stages, config.model.backbone.norm_eval) == (-1, False)
