"""What a segmenter costs, and the budgets that follow from it."""

import pytest

from rethink_det.architecture import PrunedArchitecture
from rethink_det.arms import ARMS, SEGMENTATION
from rethink_det.errors import UserError
from rethink_det.registered import build, scope_of
from rethink_det.registry import MODELS
from rethink_det.segmentation.cost import segmenter_cost
from rethink_det.segmentation.transfer.adapt import segmenter_config
from rethink_det.training.config import find_config, load_config
from rethink_det.transfer.settings import TransferSettings

pytest.importorskip('mmseg', reason='needs onedl-mmsegmentation, the extra mmseg')

RANDOM = ARMS.get(SEGMENTATION, 'random')
SIZE = (3, 128, 128)


@pytest.fixture(scope='module')
def fcn():
    return load_config(find_config('segmentation/fcn_r18-w16-d8_shapes.py'))


@pytest.fixture(scope='module')
def small(tmp_path_factory):
    """The backbone of the config with less in its first stages."""
    architecture = PrunedArchitecture(
        dict(type='mmdet.ResNet', depth=18, base_channels=16, zero_init_residual=False),
        dict(type='rethink_det.LinearHead', num_classes=8),
        (3, 32, 32),
        {f'layer{stage}.{block}.conv1': 4 for stage in (1, 2, 3, 4) for block in (0, 1)},
    )
    path = tmp_path_factory.mktemp('small') / 'small.json'
    architecture.save(path)
    return path


def test_all_parameters_count_and_the_auxiliary_head_is_idle(fcn):
    cost = segmenter_cost(fcn, SIZE)
    with scope_of(fcn):
        model = build(MODELS, fcn.model)
    assert cost.whole.params == sum(p.numel() for p in model.parameters())
    assert cost.backbone.params == sum(p.numel() for p in model.backbone.parameters())
    assert cost.whole.macs > cost.backbone.macs > 0
    assert cost.idle == ('auxiliary_head',)
    assert segmenter_cost(fcn, (3, 256, 256)).whole.macs == pytest.approx(
        4 * cost.whole.macs, rel=0.01
    )


def test_a_pruned_segmenter_gets_the_compute_of_the_unpruned_one(fcn, small):
    alike = segmenter_config(fcn, RANDOM, small).config
    assert alike.train_cfg.max_epochs == 12
    settings = TransferSettings(stage=SEGMENTATION, budget='compute')
    longer = segmenter_config(fcn, RANDOM, small, settings=settings).config
    whole, pruned = (segmenter_cost(one, SIZE).whole.macs for one in (fcn, alike))
    assert pruned < 0.8 * whole
    assert longer.train_cfg.max_epochs == pytest.approx(12 * whole / pruned, abs=0.51)
    assert longer.param_scheduler[0].end == longer.train_cfg.max_epochs
    half = segmenter_config(fcn, RANDOM, small, settings=settings, epochs=6).config
    assert half.train_cfg.max_epochs == pytest.approx(6 * whole / pruned, abs=0.51)


def test_what_cannot_be_run_is_refused(fcn):
    with pytest.raises(UserError, match='The segmenter cannot be counted'):
        segmenter_cost(fcn, (7, 128, 128))
