"""Running a config: MMEngine's Runner, made safe, repeatable and able to run on CPUs."""

import gc
import itertools
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.state_dicts import META
from rethink_det.convert import library_checkpoint
from rethink_det.errors import UserError
from rethink_det.packages import is_library_name
from rethink_det.registered import in_full
from rethink_det.training.building import telling_what_is_built
from rethink_det.training.model import model_of
from rethink_det.training.moved_run import OwnFolderHook
from rethink_det.training.order import shuffle_apart
from rethink_det.training.reading import downloaded
from rethink_det.training.resumable import last_checkpoint, newest_readable
from rethink_det.training.resumed_settings import ResumedSettingsHook
from rethink_det.training.runner import BriefRunner, EvaluationRunner
from rethink_det.training.shared_memory import fit_loaders, free_shared_memory
from rethink_det.training.starting_weights import (
    EMA,
    PARTIAL,
    StartingWeights,
    StartingWeightsHook,
)
from rethink_det.training.sync_bn import set_sync_bn
from rethink_det.training.workers import ending_workers
from rethink_det.training.written_config import with_architecture_inside

RUN_HOOKS = {
    'plain_checkpoint': {'type': 'rethink_det.PlainCheckpointHook'},
    'provenance': {'type': 'rethink_det.ProvenanceHook'},
    'epoch_seed': {'type': 'rethink_det.EpochSeedHook'},
    'finite': {'type': 'rethink_det.FiniteHook'},
    'initial_weights': {'type': 'rethink_det.InitialWeightsHook'},
    'runtime_info': {'type': 'rethink_det.LazyLossesHook'},  # MMEngine's own name for it
}
"""Hooks of every run, under their names in ``default_hooks``; a config may set one to None."""

_RUNS = itertools.count(1)


class _LastMetrics(Hook):
    """Remembers what the last validation found, and after which epoch."""

    def __init__(self) -> None:
        self.metrics: dict[str, float] = {}
        self.iteration = -1

    def after_val_epoch(self, runner: Runner, metrics: Mapping | None = None) -> None:
        """Remember."""
        self.metrics, self.iteration = dict(metrics or {}), runner.iter


def prepare(config: Config) -> Config:
    """A copy of ``config`` that can be run.

    It has this package's hooks, its types named in full, the architectures of its pruned parts
    inside, seed 0 unless it has another, an order of the training images of that seed's own, and
    gloo where there is no GPU.

    Raises:
        UserError: An architecture's file is missing or describes none, the launcher did not start
            this process, or several processes shall synchronise BatchNorm without a GPU.
    """
    # Belt and braces: whatever library calls torch.load, no pickle runs code.
    os.environ.setdefault('TORCH_FORCE_WEIGHTS_ONLY_LOAD', '1')
    config = with_architecture_inside(in_full(config))
    for line in set_sync_bn(config):
        print(line)
    hooks = {**RUN_HOOKS, **(config.get('default_hooks') or {})}
    config.default_hooks = {n: hook for n, hook in hooks.items() if hook or n not in RUN_HOOKS}
    # A seed drawn at random would be restored on resume only after the data order was set.
    if (config.get('randomness') or {}).get('seed') is None:
        config.randomness = {**(config.get('randomness') or {}), 'seed': 0}
    shuffle_apart(config)
    for line in fit_loaders(config, free_shared_memory()):
        print(line)
    # MMEngine tells runs apart by the second they start in: two of one name would share their
    # log file and their history.
    name = config.get('experiment_name') or Path(config.get('work_dir') or 'run').name
    config.experiment_name = f'{name}-{next(_RUNS)}'
    if config.get('visualizer'):  # one of a name writes into the folder of the first run
        config.visualizer.name = config.experiment_name
    launcher = config.get('launcher') or 'none'
    on_cpus = launcher == 'pytorch' and not torch.cuda.is_available()
    if on_cpus:
        _check_sync_bn(config)
    _check_launcher(launcher)
    if on_cpus:
        # MMEngine pins each process to a GPU of its own otherwise.
        if not torch.distributed.is_initialized():
            torch.distributed.init_process_group('gloo')
        config.model_wrapper_cfg = {
            'type': 'MMDistributedDataParallel',
            'device_ids': None,
            'broadcast_buffers': False,
            'find_unused_parameters': config.get('find_unused_parameters', False),
        }
    return config


_LAUNCHERS = {
    'none': ((), ''),
    'pytorch': (
        ('RANK', 'WORLD_SIZE', 'MASTER_ADDR', 'MASTER_PORT'),
        'torchrun, as tools/dist_train.sh does',
    ),
    'slurm': (
        ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_NODELIST'), 'srun, as tools/slurm_train.sh does',
    ),
    'mpi': (
        ('OMPI_COMM_WORLD_LOCAL_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_RANK')
        + ('MASTER_ADDR',),
        'mpirun of Open MPI, with -x MASTER_ADDR',
    ),
}  # fmt: skip
"""Of each launcher of MMEngine's the variables that it sets, and what it is."""


def _check_launcher(name: str) -> None:
    """Refuse a launcher that did not start this process: MMEngine fails without a word of it."""
    if name not in _LAUNCHERS:
        raise UserError(f"'launcher' is {name!r}, must be one of {', '.join(_LAUNCHERS)}.")
    variables, program = _LAUNCHERS[name]
    missing = [one for one in variables if one not in os.environ]
    if missing and not torch.distributed.is_initialized():
        raise UserError(
            f'--launcher {name}: {", ".join(missing)} are not set: start the command by {program}, '
            'or leave the launcher out.'
        )


def _check_sync_bn(config: Config) -> None:
    if config.get('sync_bn') or "'SyncBN'" in str(config.get('model')):
        raise UserError(
            'SyncBN is computed on GPUs only, and there is none here: leave out sync_bn=True, and '
            "set type='BN' in every norm_cfg."
        )


@telling_what_is_built()
def train(config: Config) -> dict[str, float]:
    """Train a config to its end and evaluate the last epoch.

    Args:
        config: As of ``tools/train.py``; needs ``work_dir``. ``resume=True`` continues from
            the last checkpoint in there, or from ``load_from``. Of ``load_from`` a part of the
            model is taken with ``load_partial=True`` only, and averaged weights with
            ``load_ema=True``.

    Returns:
        The metrics after the last epoch, which is the one that counts: picking the best
        epoch by test score would be training on the test set. Empty without evaluator.

    Raises:
        UserError: The checkpoint to start from is missing, damaged or unsafe, fits a part of the
            model and that was not asked for, or, on resume, is of another architecture or not of
            a training run; or a part of the config cannot be built.
    """
    last = _LastMetrics()
    config = prepare(config)
    if config.get('resume') and not config.get('load_from'):
        # MMEngine would follow the path inside the file last_checkpoint, even into the folder
        # that this one was moved or copied from.
        found = newest_readable(config.work_dir) or last_checkpoint(config.work_dir)
        config.resume, config.load_from = found is not None, found and str(found)
    runner = runner_of(config)
    runner.register_hook(last)
    runner.register_hook(OwnFolderHook())
    with ending_workers(runner), _batches_of_one(), _pictures_too_small(config):
        runner.train()
        if runner.val_loop is None or last.iteration == runner.iter:
            return last.metrics
        return runner.val_loop.run()


@contextmanager
def _batches_of_one() -> Iterator[None]:
    """Say in the user's terms what BatchNorm says of a batch that has no spread."""
    try:
        yield
    except ValueError as error:
        if 'Expected more than 1 value per channel' not in str(error):
            raise
        raise UserError(
            'The last batch of an epoch has one image, and BatchNorm cannot normalise one value '
            'a channel: set train_dataloader.drop_last=True, or another '
            'train_dataloader.batch_size.'
        ) from None


@contextmanager
def _pictures_too_small(config: Config) -> Iterator[None]:
    """Say in the user's terms that there are fewer places in a picture than queries.

    DINO and others of its kind start their queries from the best places of all feature maps.
    """
    try:
        yield
    except RuntimeError as error:
        queries = (config.get('model') or {}).get('num_queries')
        if 'selected index k out of range' not in str(error) or queries is None:
            raise
        raise UserError(
            f'The model picks model.num_queries={queries} places of its feature maps, and a '
            'picture has not as many: it is too small. Let the pipelines resize to larger ones '
            '(256 pixels have 1360 places at strides 8 to 64), or set model.num_queries lower. '
            'Where it fails at the evaluation alone, model.test_cfg.max_per_img may be more '
            'than queries times classes.'
        ) from None


def runner_of(config: Config) -> Runner:
    """MMEngine's runner of a prepared config, when what it is going to load has been checked.

    Raises:
        UserError: As of :func:`train`.
    """
    source, resumed = config.get('load_from'), config.get('resume')
    if source and resumed and config.get(EMA):
        raise UserError(f'{EMA} (--ema) is for load_from: a run is resumed from its own weights.')
    checkpoint = _read(str(source), bool(config.get(EMA))) if source else None
    runner = BriefRunner.from_cfg(config)
    if checkpoint is None:
        return runner
    weights = StartingWeights.of(model_of(runner), checkpoint)
    if resumed:
        weights.check_whole()
        _check_resumable(checkpoint)
        runner.register_hook(ResumedSettingsHook())
    else:
        left_out = weights.check_start(bool(config.get(PARTIAL)))
        if left_out:
            runner.logger.warning(left_out)
    runner.register_hook(StartingWeightsHook(weights))
    return runner


def _read(source: str, ema: bool) -> Checkpoint | None:
    """The checkpoint that a run is going to read first; None if only MMEngine knows its address."""
    if source.startswith(('http://', 'https://')):
        return Checkpoint.read(downloaded(source), ema)
    if is_library_name(source):
        return Checkpoint.read(library_checkpoint(source), ema)
    return None if '://' in source else Checkpoint.read(source, ema)


@telling_what_is_built()
def evaluate(config: Config, checkpoint: str | os.PathLike, ema: bool = False) -> dict[str, float]:
    """Evaluate a checkpoint on the config's test data.

    Args:
        config: With ``test_dataloader`` and ``test_evaluator``.
        checkpoint: The weights, all that the model has.
        ema: Take those that were averaged over the training.

    Raises:
        UserError: The checkpoint is missing, damaged, unsafe or of another architecture, or
            the config has no test data.
    """
    if config.get('test_dataloader') is None or config.get('test_evaluator') is None:
        raise UserError('The config has no test_dataloader and test_evaluator.')
    trained = Checkpoint.read(checkpoint, ema)
    config = prepare(config)
    config.load_from, config.resume = str(checkpoint), False
    runner = EvaluationRunner.from_cfg(config)
    weights = StartingWeights.of(model_of(runner), trained)
    weights.check_whole()
    runner.register_hook(StartingWeightsHook(weights))
    with ending_workers(runner):
        return runner.test()


def leave_process_group() -> None:
    """End the connections of a distributed run, if this is one; its last call.

    A process that exits with gloo's threads running may be aborted at the very end. They live as
    long as anything holds the group, which the runner does: it refers to itself in a circle, and
    is there until the garbage collector finds it.
    """
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
        gc.collect()


def _check_resumable(checkpoint: Checkpoint) -> None:
    needed = (META, 'optimizer', 'message_hub')
    missing = ', '.join(key for key in needed if key not in checkpoint.others)
    if missing:
        raise UserError(f'{checkpoint.path} cannot be resumed, it has no {missing}: use load_from.')
