"""One command trains a segmenter by four arms and says what its mIoU is due to."""

import json

import pytest

pytest.importorskip('mmseg', reason='needs onedl-mmsegmentation, the extra mmseg')

from rethink_det.report import StudyResults  # noqa: E402
from rethink_det.study import Study  # noqa: E402
from rethink_det.study.graph import runs_of  # noqa: E402
from rethink_det.training.config import find_config  # noqa: E402

ARMS = ['unpruned', 'prune-c', 'scratch-e', 'random']
SIZE = dict(crops=(32, 16), images=(8, 4))


@pytest.mark.slow
def test_four_arms_are_trained_and_compared(command, tmp_path):
    data = str(tmp_path / 'shapes')
    sizes = {
        f'{split}_dataloader.dataset.{key}': value
        for split in ('train', 'val', 'test')
        for key, value in {'data_root': data, **SIZE}.items()
    }
    study = dict(
        name='maps',
        seeds=[0, 1],
        classification=dict(
            config=find_config('classification/resnet18-w16_shapes.py'),
            pruner=dict(type='L1NormPruner', ratios=0.5),
            arms=['unpruned', 'fine-tune', 'scratch-e'],
            arm_settings=dict(fine_tune_epochs=1),
            epochs=1,
            options=sizes,
        ),
        segmentation=[
            dict(
                config=find_config('segmentation/fcn_r18-w16-d8_shapes.py'),
                arms=ARMS,
                epochs=1,
                options=sizes | {'train_dataloader.batch_size': 4},
            )
        ],
    )
    path = tmp_path / 'maps.py'
    path.write_text(f'study = {study!r}\n', encoding='utf-8')
    done = command('study', path, '--work-dir', tmp_path / 'work')
    assert done.status == 0, done
    results = StudyResults.read(tmp_path / 'work')
    mine = [run for run in results.runs if run.stage == 'segmentation']
    assert [(run.arm, run.seed) for run in mine if run.status == 'completed'] == [
        (arm, seed) for seed in (0, 1) for arm in ARMS
    ]
    for run in mine:
        assert 0 <= run.metrics['mIoU'] <= 100 and run.epochs == 1
        assert run.unmeasured is None and len(run.replicates['mIoU']) == 1000
        assert run.macs > run.backbone_macs > 0 and run.train_macs == 3 * run.macs * 8
        assert run.earlier_epochs == ()
    small, big = (
        {r.macs for r in mine if (r.arm == 'unpruned') is whole} for whole in (False, True)
    )
    assert max(small) < min(big)
    tensors = {run.arm: run.transferred.tensors for run in mine}
    assert tensors['random'] is None and tensors['prune-c'] == tensors['scratch-e'] > 100
    report = (tmp_path / 'work' / 'report.md').read_text(encoding='utf-8')
    assert 'Segmentation · fcn_r18-w16-d8_shapes' in report and 'mIoU, %' in report
    assert 'What was transferred' in report
    again = command('study', path, '--work-dir', tmp_path / 'work')
    assert again.status == 0 and 'mIoU' in json.dumps(results.runs[-1].metrics)


def test_the_shipped_study_has_four_arms():
    study = Study.load('segmentation')
    runs = [run for run in runs_of(study) if run.stage == 'segmentation']
    assert len(runs) == 4 * 3
    assert {run.key for run in runs if run.seed == 1} == {
        f'segmentation/fcn_r18-w16-d8_shapes/{arm}/seed1' for arm in ARMS
    }
    assert study.metric_of('segmentation', 'fcn_r18-w16-d8_shapes') == 'mIoU'
    primary = study.primary_comparison()
    assert primary is not None and primary.metric in ('mIoU', 'accuracy/top1')
