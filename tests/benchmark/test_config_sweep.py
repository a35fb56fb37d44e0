"""Sweeps over mmdet's configs: each as it is and with a pruned backbone."""

from pathlib import Path

import mmdet
import pytest

from rethink_det import UserError, load_config
from rethink_det.benchmark import config_sweep
from rethink_det.benchmark.config_table import BOTH, GAINED, LOST, NEITHER, table, verdict
from rethink_det.benchmark.small_config import small_config
from rethink_det.benchmark.small_pictures import IMAGES
from rethink_det.benchmark.sweep import ERROR, Sweep
from rethink_det.datasets.shapes import CLASSES
from rethink_det.transfer.pretrained import sources_of

CONFIGS = Path(mmdet.__file__).parent / '.mim' / 'configs'


def test_the_list_has_a_config_of_every_folder_of_mmdets():
    folders = {f.name for f in CONFIGS.iterdir() if any(f.glob('*.py'))} - {'_base_'}
    assert {name.partition('/')[0] for name in config_sweep.entries()} == folders
    assert all((CONFIGS / name).is_file() for name in config_sweep.entries())


@pytest.mark.parametrize(
    'plain, ours, kind',
    [(None, None, BOTH), (None, 'no', LOST), ('no', None, GAINED), ('no', 'no', NEITHER)],
)
def test_what_a_config_is(plain, ours, kind):
    assert verdict(dict(plain=plain, ours=ours)) == kind


def test_the_table_counts_against_plain_mmdet():
    works = dict(plain=None, ours=None, versions=dict(torch='2'))
    outcomes = {
        'a/one.py': works,
        'a/two.py': works,
        'b/three.py': {**works, 'ours': 'refused: it | has\nnone'},
        'c/four.py': {ERROR: "no file '/home/me/configs/a.py'"},
    }
    text = table(outcomes)
    assert text.startswith(
        '4 configs of 3 folders: plain mmdet trains and evaluates 3, 2 of these (66.7%) with the '
        'pruned backbone as well, and 0 others.\n\ntorch 2\n'
    )
    assert '| b/three.py | yes | refused | refused: it / has none |' in text
    assert "| c/four.py | no | no | no file 'a.py' |" in text


@pytest.mark.parametrize(
    'name', ['sort/faster-rcnn_r50_fpn_8xb2-4e_mot17halftrain_test-mot17halfval.py',
             'lad/lad_r101-paa-r50_fpn_2xb8_coco_1x.py',
             'strong_baselines/mask-rcnn_r50_fpn_rpn-2conv_4conv1fc_syncbn-all_lsj-50e_coco.py',
             'rpn/rpn_r50_fpn_1x_coco.py'],
)  # fmt: skip
def test_a_small_config_starts_from_random_weights_on_few_images(name, tmp_path):
    config = load_config(f'mmdet::{name}')
    before = config.pretty_text
    small = small_config(config, tmp_path / 'shapes')
    assert config.pretty_text == before
    assert sources_of(small.model) == [] and not small.load_from
    assert 'BatchFixedSizePad' not in str(small.model)
    data = small.train_dataloader.dataset
    assert len(list((tmp_path / 'shapes' / 'train').iterdir())) == IMAGES[0]
    assert data.metainfo.classes == CLASSES
    kind = small.val_evaluator.metric
    assert kind == {'rpn': 'proposal_fast', 'strong_baselines': 'segm'}.get(
        name.partition('/')[0], 'bbox'
    )


def test_a_small_config_gives_a_detector_what_it_asks_for(tmp_path):
    def small(name):
        return small_config(load_config(f'mmdet::{name}'), tmp_path / 'shapes')

    corners = small('cornernet/cornernet_hourglass104_8xb6-210e-mstest_coco.py')
    assert [step['type'] for step in corners.val_dataloader.dataset.pipeline][-2:] == [
        'RandomCenterCropPad', 'PackDetInputs',
    ]  # fmt: skip
    assert 'RandomCenterCropPad' not in str(corners.train_dataloader)
    assert "'scale': (300, 300)" in str(small('ssd/ssd300_coco.py').train_dataloader)
    semantic = small('htc/htc_r50_fpn_1x_coco.py').train_dataloader.dataset
    assert semantic.pipeline[1]['with_seg']
    assert len(list((tmp_path / 'shapes/semantic/train').iterdir())) == IMAGES[0]
    panoptic = small('maskformer/maskformer_r50_ms-16xb1-75e_coco.py').model
    assert panoptic.panoptic_head.num_stuff_classes == 0 and not panoptic.test_cfg.panoptic_on
    pytest.importorskip('mmpretrain', reason='ConvNeXt is one of its networks')
    wide = small('convnext/mask-rcnn_convnext-t-p4-w7_fpn_amp-ms-crop-3x_coco.py')
    assert wide.optim_wrapper.type == 'OptimWrapper' and 'dtype' not in wide.optim_wrapper


def test_a_part_of_a_config_is_an_outcome_too(tmp_path):
    found = config_sweep.ask('common/ms_3x_coco.py')
    assert verdict(found) == NEITHER
    with pytest.raises(UserError, match='does not exist'):
        load_config('mmdet::common/gone.py')


@pytest.mark.slow
def test_a_config_is_asked_in_a_process_of_its_own(tmp_path):
    name = 'retinanet/retinanet_r50_fpn_1x_coco.py'
    found = Sweep(config_sweep.__name__, {name: name}, tmp_path, 300).run()[name]
    assert verdict(found) == BOTH, found
    assert 'rethink_det' in found['versions'] and found['changes']
