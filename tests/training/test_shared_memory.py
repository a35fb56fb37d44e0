"""Loaders whose batches do not fit into shared memory do without processes, and it is said."""

import pytest
from mmengine.config import Config

from rethink_det.training import launch, shared_memory
from rethink_det.training.shared_memory import LARGE, SLACK, fit_loaders, free_shared_memory

MB = 1_000_000


def loader(workers=2, batch=4, pipeline=(), **more):
    return dict(
        num_workers=workers, batch_size=batch, dataset=dict(pipeline=list(pipeline)), **more
    )


def config(**loaders):
    return Config({f'{split}_dataloader': one for split, one in loaders.items()})


def test_what_fits_is_left_alone():
    one = config(train=loader(persistent_workers=True, prefetch_factor=3))
    before = one.to_dict()
    assert fit_loaders(one, 1000 * MB) == fit_loaders(one, None) == []
    assert one.to_dict() == before


def test_what_does_not_fit_is_loaded_in_the_process_and_said():
    one = config(train=loader(persistent_workers=True, prefetch_factor=3), val=loader(batch=1))
    (line,) = fit_loaders(one, 60 * MB)
    assert line.startswith('train_dataloader: its 2 workers need about 154 MB of shared memory')
    assert '60 MB free' in line and '--shm-size' in line
    assert one.train_dataloader.num_workers == 0 and not one.train_dataloader.persistent_workers
    assert 'prefetch_factor' not in one.train_dataloader
    assert one.val_dataloader.num_workers == 2


@pytest.mark.parametrize(
    'pipeline, image',
    [
        ([], LARGE),
        ([dict(type='Resize', scale=(100, 200))], 3 * 100 * 200),
        ([dict(type='RandomChoiceResize', scales=[(100, 200), (300, 10)])], 3 * 100 * 200),
        ([dict(type='Resize', scale=0.5)], LARGE),
    ],
)
def test_an_image_is_as_large_as_its_pipeline_says(pipeline, image):
    needed = SLACK * 2 * 2 * 4 * image
    assert not fit_loaders(config(test=loader(pipeline=pipeline)), needed)
    assert fit_loaders(config(test=loader(pipeline=pipeline)), needed - 1)


def test_a_classifiers_images_are_small_and_no_workers_need_nothing():
    small = config(train=loader(batch=128))
    small.model = dict(input_shape=(3, 32, 32))
    assert fit_loaders(small, 64 * MB) == []
    assert fit_loaders(config(train=loader(workers=0)), 0) == fit_loaders(Config({}), 0) == []


def test_a_training_with_workers_runs_on_hardly_any(tiny_config, monkeypatch, capsys):
    one = tiny_config(epochs=1)
    one.train_dataloader.num_workers = 2
    monkeypatch.setattr(launch, 'free_shared_memory', lambda: 100)
    assert 'accuracy/top1' in launch.train(one)
    assert 'train_dataloader: its 2 workers need' in capsys.readouterr().out
    assert one.train_dataloader.num_workers == 2  # the recipe stays as it was


def test_a_system_without_such_a_folder_has_no_limit(tmp_path):
    assert free_shared_memory(str(tmp_path / 'none')) is None
    assert free_shared_memory(str(tmp_path)) > 0
    assert shared_memory.PLACE == '/dev/shm'
