"""A schedule of iterations is the same number of them in epochs."""

import pytest
from mmengine.config import Config

from rethink_det.errors import UserError

pytest.importorskip('mmseg', reason='needs onedl-mmsegmentation, the extra mmseg')
from rethink_det.segmentation import epochs  # noqa: E402
from rethink_det.segmentation.epochs import compress_warm_up, in_epochs  # noqa: E402

WARM = dict(type='LinearLR', start_factor=1e-6, by_epoch=False, begin=0, end=1500)
POLY = dict(type='PolyLR', power=0.9, begin=1500, end=20000, by_epoch=False)


def config(iterations=20000, batch=4, **more):
    """Of a segmenter, as mmsegmentation writes it."""
    return Config(dict(
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=iterations, val_interval=2000),
        param_scheduler=[WARM, POLY],
        train_dataloader=dict(batch_size=batch, sampler=dict(type='InfiniteSampler', shuffle=True)),
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=2000)),
        **more,
    ))  # fmt: skip


@pytest.fixture(autouse=True)
def images(monkeypatch):
    monkeypatch.setattr(epochs, 'training_images', lambda config: 401)


def test_iterations_become_passes_over_the_images():
    found = in_epochs(config())
    new = found.config
    assert new.train_cfg == dict(type='EpochBasedTrainLoop', max_epochs=200, val_interval=20)
    assert new.train_dataloader.sampler.type == 'DefaultSampler' and new.train_dataloader.drop_last
    warm, poly = new.param_scheduler
    assert warm == WARM
    assert (poly.begin, poly.end, poly.by_epoch, poly.convert_to_iter_based) == (
        15,
        200,
        True,
        True,
    )
    checkpoint = new.default_hooks.checkpoint
    assert checkpoint.by_epoch and checkpoint.interval == 1 and new.log_processor.by_epoch
    (line,) = map(str, found.changes)
    assert line.startswith('train_cfg: 20000 iterations -> 200 epochs, so many passes over 401 ')


def test_a_scheduler_longer_than_the_training_stays_so():
    _, poly = in_epochs(config(2000)).config.param_scheduler
    assert (poly.begin, poly.end) == (15, 200)
    _, poly = in_epochs(config(2, batch=400)).config.param_scheduler
    assert (poly.begin, poly.end) == (1500, 20000)


def test_a_warm_up_is_shortened_with_its_schedule():
    new = in_epochs(config()).config
    new.train_cfg.max_epochs = 20
    lines = [str(one) for one in compress_warm_up(new, 200)]
    assert lines == ['param_scheduler.0.end: 1500 -> 150, as the epochs are']
    assert compress_warm_up(new, 20) == []


def test_processes_share_the_images_of_a_step(monkeypatch):
    monkeypatch.setenv('WORLD_SIZE', '4')
    assert in_epochs(config(launcher='pytorch')).config.train_cfg.max_epochs == 800
    assert in_epochs(config(launcher='none')).config.train_cfg.max_epochs == 200


def test_few_images_are_no_reason_to_have_no_step():
    new = in_epochs(config(batch=1000)).config
    assert new.train_cfg.max_epochs == 20000 and not new.train_dataloader.get('drop_last')


def test_what_counts_epochs_is_as_it_was():
    old = Config(dict(train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=3)))
    assert in_epochs(old).config is old and in_epochs(old).changes == ()


@pytest.mark.parametrize('iterations', [0, None, 1.5])
def test_what_counts_nothing_is_refused(iterations):
    with pytest.raises(UserError, match='max_iters must be a whole number above 0'):
        in_epochs(config(iterations))


def test_images_that_are_not_there_are_told_of(monkeypatch):
    monkeypatch.undo()
    gone = config(default_scope='mmseg')
    gone.train_dataloader.dataset = dict(
        type='ADE20KDataset', data_root='nowhere', data_prefix=dict(img_path='images')
    )
    with pytest.raises(UserError, match="data_root='nowhere': .*Take --data-root"):
        in_epochs(gone)
