"""A detector is pruned as it was in the version before."""

import pytest

from rethink_det.architecture.checkpoint import load_checkpoint

KEY = 'detector-pruning/detector/pruned/seed0'


@pytest.fixture
def result(older_stage, tmp_path):
    stage = older_stage(KEY)
    (tmp_path / 'run').mkdir()
    return stage.do(stage.config(), tmp_path / 'run')


def test_the_same_is_kept(result, older_results):
    before = older_results[KEY]
    fields = ('digest', 'params', 'macs', 'input_shape', 'epochs', 'train_macs')
    fields += ('total_train_macs', 'checkpoint', 'architecture', 'stage', 'arm', 'model')
    assert {f: getattr(result, f) for f in fields} == {f: getattr(before, f) for f in fields}


def test_the_whole_detector_is_kept_not_its_backbone_alone(result, tmp_path):
    names = load_checkpoint(tmp_path / 'run' / result.checkpoint)['state_dict']
    assert {name.split('.')[0] for name in names} == {'backbone', 'neck', 'bbox_head'}


def test_its_config_is_that_of_the_unpruned_detector(older_stage):
    ours = older_stage(KEY).config()
    theirs = older_stage('detection/detector/unpruned/seed0').config()
    assert ours.model == theirs.model and ours.train_dataloader == theirs.train_dataloader
