"""No two seeds see their training images in one order, whichever sampler shuffles them."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch.utils.data import Dataset

from rethink_det.registry import DATASETS, HOOKS
from rethink_det.training.launch import prepare, train
from rethink_det.training.order import shuffle_apart

SEEDS, EPOCHS = range(10), range(50)
SEEN: list[tuple[int, ...]] = []
ROOT = Path(__file__).resolve().parents[2]
BOTH_ASPECTS = dict(type='mmdet.AspectRatioBatchSampler')


@DATASETS.register_module(force=True)
class Landscapes(Dataset):
    """Images that are wide or high by turns, which draw when they are fetched."""

    metainfo = dict(classes=('one', 'other'))
    flag = np.zeros(24, int)

    def __len__(self):
        return 24

    def get_data_info(self, index):
        return dict(width=2 - index % 2, height=1 + index % 2)

    def get_cat_ids(self, index):
        return [index % 2]

    def __getitem__(self, index):
        return index, random.random(), np.random.rand(), torch.rand(()).item()


@HOOKS.register_module(force=True)
class SeenHook(Hook):
    """Writes the order of an epoch down."""

    priority = 'LOWEST'

    def before_train_epoch(self, runner):
        SEEN.append(tuple(runner.train_loop.dataloader.sampler))


def loader(config, **changes):
    """The training loader of a config as a run of this package builds it."""
    sampler, dataset = dict(type='DefaultSampler'), dict(type='rethink_det.Landscapes')
    own = dict(batch_size=8, num_workers=0, sampler=sampler, dataset=dataset)
    config.train_dataloader = own | changes
    config = prepare(config)
    with DefaultScope.overwrite_default_scope('mmengine'):
        return Runner.build_dataloader(config.train_dataloader, config.randomness.seed)


def orders(tiny_config, seed, epochs=EPOCHS, **changes):
    """The orders of the epochs of a seed."""
    built = loader(tiny_config(seed=seed), **changes)
    sampler = built.sampler if 'batch_sampler' not in changes else built.batch_sampler.sampler
    for epoch in epochs:
        sampler.set_epoch(epoch)
        batches = sampler if 'batch_sampler' not in changes else sum(built.batch_sampler, [])
        yield tuple(getattr(item, 'image', item) for item in batches)


@pytest.mark.parametrize(
    'changes',
    [
        dict(),
        dict(sampler=dict(type='rethink_det.EpochSampler')),
        dict(sampler=dict(type='mmdet.ClassAwareSampler')),
        dict(batch_sampler=BOTH_ASPECTS),
    ],
    ids=lambda changes: str([one['type'] for one in changes.values()]),
)
def test_all_orders_of_all_seeds_and_epochs_differ(tiny_config, changes):
    seen = [order for seed in SEEDS for order in orders(tiny_config, seed, **changes)]
    assert len(set(seen)) == len(SEEDS) * len(EPOCHS)
    again = [order for seed in SEEDS[:2] for order in orders(tiny_config, seed, **changes)]
    assert seen[: len(again)] == again


def test_mmengine_by_itself_gives_seeds_one_anothers_orders(tiny_config):
    def plain(seed, epoch):
        built = Runner.build_dataloader(tiny_config().train_dataloader.to_dict(), seed)
        built.sampler.set_epoch(epoch)
        return list(built.sampler)

    assert plain(0, 1) == plain(1, 0)


def test_an_endless_sampler_has_an_order_of_its_seeds_own(tiny_config):
    def first(seed):
        stream = iter(loader(tiny_config(seed=seed), sampler=dict(type='InfiniteSampler')).sampler)
        return tuple(next(stream) for _ in range(24))

    assert len({first(seed) for seed in SEEDS}) == len(SEEDS) and first(3) == first(3)


def test_of_a_hundred_seeds_none_comes_near_another(tiny_config):
    starts = sorted(prepare(tiny_config(seed=s)).train_dataloader.sampler.seed for s in range(100))
    assert min(np.diff(starts)) > 1000


def test_what_a_config_says_itself_stays(tiny_config):
    config = tiny_config()
    config.train_dataloader.sampler.seed = 7
    config.train_dataloader.worker_init_fn = dict(type='mine')
    shuffle_apart(config)
    assert config.train_dataloader.sampler.seed == 7
    assert config.train_dataloader.worker_init_fn == dict(type='mine')
    for none in (None, 'a built loader'):
        config.train_dataloader = none
        shuffle_apart(config)
        assert config.train_dataloader == none


def test_a_resumed_run_sees_what_an_unbroken_one_sees(tiny_config):
    def seen(name, epochs, **changes):
        SEEN.clear()
        train(tiny_config(name, epochs, hooks=[dict(type='SeenHook')], **changes))
        return list(SEEN)

    unbroken = seen('unbroken', 3)
    assert seen('broken', 1) == unbroken[:1]
    assert seen('broken', 3, resume=True) == unbroken[1:]
    assert len(set(unbroken)) == 3


RANK = """
import json, sys
from mmengine.config import Config
from mmengine.dist import get_dist_info
from mmengine.runner import Runner
from rethink_det.training.launch import prepare
from rethink_det.training import launch
from tests import conftest  # registers the data set

config = prepare(Config.fromfile(sys.argv[1]))
sampler = Runner.build_dataloader(config.train_dataloader, config.randomness.seed).sampler
found = []
for epoch in range(3):
    sampler.set_epoch(epoch)
    found.append(list(sampler))
with open(f'{sys.argv[2]}/{get_dist_info()[0]}.json', 'w') as file:
    json.dump(found, file)
launch.leave_process_group()
"""


@pytest.mark.slow
def test_two_processes_share_an_epoch_between_them(tiny_config, tmp_path):
    config = tiny_config(seed=5, launcher='pytorch')
    config.dump(tmp_path / 'config.py')
    (tmp_path / 'rank.py').write_text(RANK)
    launcher = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2']
    done = subprocess.run(
        [*launcher, str(tmp_path / 'rank.py'), str(tmp_path / 'config.py'), str(tmp_path)],
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': ''},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    both = [json.loads((tmp_path / f'{rank}.json').read_text()) for rank in (0, 1)]
    for whole, *shares in zip(orders(tiny_config, 5, range(3)), *both, strict=True):
        assert shares == [list(whole[::2]), list(whole[1::2])]


# -- what workers draw ---------------------------------------------------------------------


def drawn(tiny_config, seed, start):
    """What the two workers of a seed draw in an epoch in which ``start`` seeds the run."""
    built = loader(tiny_config(seed=seed), num_workers=2, batch_size=12)
    torch.manual_seed(start)
    return {float(draw) for batch in built for draw in sum(map(list, batch[1:]), [])}


def test_workers_draw_anew_in_each_epoch_and_seed(tiny_config):
    first = drawn(tiny_config, 0, start=1)
    assert len(first) == 3 * 24
    assert drawn(tiny_config, 0, start=1) == first
    assert not first & drawn(tiny_config, 1, start=2)
    assert not first & drawn(tiny_config, 0, start=3)
