"""The order of a training's images: each seed has its own.

MMEngine's samplers, and those of mmdet, shuffle by seed plus epoch, so that seed 1 sees in each
epoch the order that seed 0 sees in the next. Worker 1 of a loader augments in a run of seed 0 as
worker 0 does in a run of seed 1. Repetitions that share their random numbers are not independent,
as a test of their means takes for granted.
"""

from collections.abc import MutableMapping

from mmengine.config import Config

from rethink_det.training.generators import mixed

WORKERS_START = 'rethink_det.start_worker'


def shuffle_apart(config: Config) -> None:
    """Let the training images of a config come in an order of its seed's own, in place.

    The sampler, whichever it is, adds the epoch to a hash of the seed: of 100 seeds no two come
    within 1,000 epochs of each other. A ``seed`` of the sampler or a ``worker_init_fn`` that
    stands in the config stays.

    Args:
        config: Whose ``randomness`` has a seed.
    """
    loader = config.get('train_dataloader')
    if not isinstance(loader, MutableMapping):
        return
    sampler = loader.get('sampler')
    if isinstance(sampler, MutableMapping):
        sampler.setdefault('seed', mixed(config.randomness['seed']))
    if 'worker_init_fn' not in loader:
        quiet = loader.pop('disable_subprocess_warning', False)
        loader['worker_init_fn'] = {'type': WORKERS_START, 'quiet': quiet}
