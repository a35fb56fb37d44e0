"""A detector gets the backbone of its arm."""

from dataclasses import replace

import pytest

from rethink_det.architecture.checkpoint import digest, load_checkpoint
from rethink_det.report import Transferred


def key(arm):
    return f'detection/detector/{arm}/seed0'


@pytest.mark.parametrize(
    'arm, source',
    [
        ('unpruned', 'classification/classifier/unpruned/seed0'),
        ('prune-c', 'classification/classifier/fine-tune/seed0'),
        ('prune-d', 'detector-pruning/detector/pruned/seed0'),
    ],
)
def test_shape_and_weights_come_from_where_the_arm_says(older_stage, older_results, arm, source):
    config = older_stage(key(arm)).config()
    weights = str(older_results[source].checkpoint_path)
    assert config.model.backbone.architecture == weights
    (hook,) = config.custom_hooks
    assert (hook.arm, hook.checkpoint) == (arm, weights)
    assert older_stage(key(arm)).sources == {'start': older_results[source].digest}


def test_random_takes_the_shape_alone(older_stage, older_results):
    config = older_stage(key('random')).config()
    pruned = older_results['pruning/classifier/pruned/seed0']
    assert config.model.backbone.architecture == str(pruned.architecture_path)
    assert not [hook for hook in config.custom_hooks if hook.get('checkpoint')]


@pytest.mark.slow
def test_it_trains_measures_and_says_what_it_started_from(older_stage, older_results, tmp_path):
    stage = older_stage(key('prune-c'))
    config = stage.config()
    config.work_dir = str(tmp_path / 'run')
    (tmp_path / 'run').mkdir()
    result, before = stage.do(config, tmp_path / 'run'), older_results[key('prune-c')]
    fields = ('params', 'input_shape', 'epochs', 'stages', 'checkpoint')
    assert {f: getattr(result, f) for f in fields} == {f: getattr(before, f) for f in fields}
    assert (before.macs_of, result.macs_of) == ('backbone', 'detector')
    assert result.backbone_macs == before.macs < result.macs
    times = result.macs / before.macs  # the whole network instead of its backbone
    assert result.train_macs == before.train_macs * times
    assert result.total_train_macs == stage.start.total_train_macs + result.train_macs
    assert result.spent.evaluation == result.macs * config.val_dataloader.dataset.images[1]
    assert result.earlier_epochs == ()  # the classifier's were for another task
    assert result.transferred == replace(before.transferred, parent_arm='fine-tune')
    assert result.latency_ms > 0 and result.unmeasured is None
    assert result.test_images > 0 and set(result.replicates) <= set(result.metrics)
    assert {len(values) for values in result.replicates.values()} == {1000}
    assert result.digest == digest(load_checkpoint(tmp_path / 'run' / 'epoch_1.pth')['state_dict'])
    assert {'config.py', 'sheet.json', 'curves.json'} <= {
        p.name for p in (tmp_path / 'run').iterdir()
    }


def test_without_weights_nothing_is_transferred(older_results):
    assert older_results[key('random')].transferred == Transferred()
