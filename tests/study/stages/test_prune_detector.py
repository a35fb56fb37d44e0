"""A detector is pruned as it was in the version before."""

import pytest

from rethink_det.architecture.checkpoint import load_checkpoint
from rethink_det.report.spent import NOTHING
from rethink_det.study import ledger

KEY = 'detector-pruning/detector/pruned/seed0'


@pytest.fixture
def result(older_stage, tmp_path):
    stage = older_stage(KEY)
    (tmp_path / 'run').mkdir()
    return stage.do(stage.config(), tmp_path / 'run')


def test_the_same_is_kept(result, older_results):
    before = older_results[KEY]
    fields = ('digest', 'epochs', 'train_macs', 'checkpoint', 'architecture', 'stage', 'arm')
    fields += ('model',)
    assert {f: getattr(result, f) for f in fields} == {f: getattr(before, f) for f in fields}


def test_its_cost_is_the_whole_detectors(result, older_results):
    before, trained = older_results[KEY], older_results['detection/detector/unpruned/seed0']
    assert result.macs_of == 'detector' and result.input_shape == trained.input_shape
    assert result.backbone_params == before.params < result.params < trained.params
    assert result.backbone_macs < result.macs
    assert result.unmeasured is None


def test_weights_alone_need_no_pass(result):
    assert result.spent == NOTHING
    assert result.earlier_epochs == (1,)


def test_what_an_older_detector_took_is_not_known_of_the_whole(result):
    assert result.total_train_macs is result.total_spent.pruning is None
    assert ledger.BACKBONE_ALONE in result.total_spent.not_counted


def test_the_whole_detector_is_kept_not_its_backbone_alone(result, tmp_path):
    names = load_checkpoint(tmp_path / 'run' / result.checkpoint)['state_dict']
    assert {name.split('.')[0] for name in names} == {'backbone', 'neck', 'bbox_head'}


def test_its_config_is_that_of_the_unpruned_detector(older_stage):
    ours = older_stage(KEY).config()
    theirs = older_stage('detection/detector/unpruned/seed0').config()
    assert ours.model == theirs.model and ours.train_dataloader == theirs.train_dataloader
