"""``rethink-det benchmark detector``: two ways to train one and the same detector are timed."""

import re

import pytest

from rethink_det.architecture.checkpoint import digest
from rethink_det.benchmark.detector import configs, in_both_trainings
from rethink_det.benchmark.runner import epoch_of
from rethink_det.training.hooks import EpochSeedHook, TransferHook


@pytest.mark.slow
def test_a_step_is_timed_beside_mmdets(command):
    done = command('benchmark', 'detector', '--images', 1, '--rounds', 1)
    assert done.status == 0, done
    assert re.search(
        r'a step: median [\d.]+ ms, mmdet [\d.]+ ms, overhead [+-][\d.]+ %, median of 1 pairs of '
        r'epochs of 1 steps',
        done.out,
    )


@pytest.mark.slow
def test_both_train_the_same_and_only_ours_has_our_parts(tmp_path):
    def epoch(own, other):
        start = digest(own.model.state_dict())
        for runner in (own, other):
            EpochSeedHook().before_train_epoch(runner)  # mmdet's has none
            epoch_of(runner)()
        return start, own, other

    ours, peer = configs(tmp_path, images=9)
    start, own, other = in_both_trainings(ours, peer, epoch)
    ends = {digest(runner.model.state_dict()) for runner in (own, other)}
    assert len(ends) == 1 and start not in ends
    assert own.iter == other.iter == 2
    assert {TransferHook, EpochSeedHook} <= {type(hook) for hook in own.hooks}
    assert not {TransferHook, EpochSeedHook} & {type(hook) for hook in other.hooks}
    assert own.model.backbone.architecture == own.model.backbone.architecture.base
    assert not hasattr(other.model.backbone, 'architecture')


@pytest.mark.parametrize('option, message', [('--images', 'got 0'), ('--rounds', 'at least 1')])
def test_nothing_to_time_is_refused(refusal, option, message):
    line = ('benchmark', 'detector', '--images', 1, '--rounds', 1)
    assert message in refusal(*line, option, 0)
