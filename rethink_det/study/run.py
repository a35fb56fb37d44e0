"""One run of a study: its config, its identity, its result.

A run lives in a folder named by its key and its identity. It holds ``config.py``, logs,
checkpoints and, written last and atomically, ``result.json``. Whoever finds that file finds
a finished run; a run without it continues from its last checkpoint.
"""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from mmengine.config import Config
from mmengine.logging import MMLogger

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import (
    digest,
    load_checkpoint,
    load_exactly,
    save_checkpoint,
    state_dict_of,
)
from rethink_det.architecture.input_convention import KEY, InputConvention
from rethink_det.arms import ARMS, CLASSIFICATION, DETECTION
from rethink_det.classification.arm_config import ArmSettings, architecture_of, arm_config
from rethink_det.detection.adapted import Adapted
from rethink_det.detection.datasets.detection_batches import DetectionBatches
from rethink_det.detection.measuring.cost import backbone_cost
from rethink_det.detection.pruning import prune_detector
from rethink_det.detection.transfer.adapt import transfer_config
from rethink_det.errors import UserError
from rethink_det.files import plain
from rethink_det.layout import (
    ARCHITECTURE,
    CONFIG,
    CONSOLE,
    INHERITED,
    PARENT,
    PRUNED,
    run_folder,
)
from rethink_det.pruning import LayerwisePruner, PruneResult, build_pruner, prune_state
from rethink_det.pruning.checkpoint import initial_weights, save_pruned
from rethink_det.registered import build, scope_of
from rethink_det.registry import DATASETS
from rethink_det.report.run_result import Plan, RunResult, Transferred
from rethink_det.study.config import Run
from rethink_det.study.detector_measurements import detector_facts, keep_curves
from rethink_det.training import Budget
from rethink_det.training.config import load_config
from rethink_det.training.launch import evaluate, last_checkpoint, train
from rethink_det.training.training_batches import TrainingBatches

BACKWARD = 3
"""A training step costs about three forward passes: one forward, two backward."""


def execute(run: Run, parents: Mapping[str, RunResult], work_dir: str | os.PathLike) -> RunResult:
    """Do a run, unless it is done; return its result.

    Args:
        run: Node of the plan.
        parents: Results of the runs it needs, by key.
        work_dir: Folder of the study.

    Returns:
        The content of its ``result.json``.
    """
    config = run_config(run, parents)
    identity = identify(run, config, parents)
    place = run_folder(run.key, identity)
    root = Path(work_dir).resolve()
    folder = root / place
    done = finished(folder, identity, root)
    if done:
        return done
    folder.mkdir(parents=True, exist_ok=True)
    config.work_dir = str(folder)
    started = time.perf_counter()
    with _console(folder / CONSOLE):
        result = _STAGES[run.stage](run, config, parents, folder)
    result = replace(
        result,
        key=run.key,
        identity=identity,
        root=root,
        folder=place.as_posix(),
        wall_s=round(time.perf_counter() - started, 2),
    )
    result.write()
    return result


def finished(folder: Path, identity: str, root: Path) -> RunResult | None:
    """The result of a finished run of that identity, if its files are all there."""
    try:
        result = RunResult.read(folder, root)
    except (FileNotFoundError, UserError):
        return None
    return result if result.identity == identity and result.files_exist else None


def run_config(run: Run, parents: Mapping[str, RunResult]) -> Config:
    """The resolved config of a run, but for its folder."""
    config = load_config(run.config, run.options)
    if run.epochs:
        Budget.of(config).scaled(run.epochs).apply(config)
    parent = next(iter(parents.values()), None)
    if run.stage == CLASSIFICATION:
        arm = ARMS.get(CLASSIFICATION, run.arm)
        settings = ArmSettings(**run.settings) if arm.pruned else ArmSettings()
        config = arm_config(config, arm, settings, *_files_of(parent))
    elif run.stage == DETECTION:
        arm = ARMS.get(DETECTION, run.arm)
        architecture, weights = _files_of(parent)  # a published shape has no weights
        shape = weights if arm.takes_weights else architecture
        config = _told(transfer_config(config, arm, shape, weights))
    elif run.stage == 'detector-pruning':  # the config that the detector was trained by
        _, classifier = parents.values()
        weights = str(classifier.checkpoint_path)
        arm = ARMS.reference(DETECTION)
        config = _told(transfer_config(config, arm, weights, weights))
    config.randomness = {'seed': run.seed}
    config.experiment_name = run.key.replace('/', '_')
    if not run.prunes:
        Budget.of(config).apply(config)  # no evaluation before the last epoch
    hooks = config.get('default_hooks') or {}
    checkpoint = {'type': 'CheckpointHook', **(hooks.get('checkpoint') or {})}
    # The last one is a fallback should a kill damage the newest.
    config.default_hooks = {**hooks, 'checkpoint': {**checkpoint, 'max_keep_ckpts': 2}}
    return config


def _files_of(parent: RunResult | None) -> tuple[str | None, str | None]:
    """A parent's architecture and its checkpoint, where there is a parent and it has them."""
    architecture = parent and parent.architecture and str(parent.architecture_path)
    checkpoint = parent and parent.checkpoint and str(parent.checkpoint_path)
    return architecture, checkpoint


def _told(adapted: Adapted) -> Config:
    """The config, when what is different in it has been printed."""
    for change in adapted.changes:
        print(change)
    return adapted.config


def identify(run: Run, config: Config, parents: Mapping[str, RunResult]) -> str:
    """Digest of the resolved config and of the parents' outputs, free of folders."""
    settings = plain_settings(run)
    text = json.dumps([config.to_dict(), settings], sort_keys=True, default=str)
    for parent in parents.values():
        names = ('architecture', 'checkpoint')
        for name, file in reversed(list(zip(names, _files_of(parent), strict=True))):
            if file:
                text = text.replace(json.dumps(file)[1:-1], f'{name} {parent.digest}')
    return hashlib.sha256(text.encode()).hexdigest()


def plain_settings(run: Run) -> dict:
    """The stage's settings; a parent's checkpoint by its digest, not its path."""
    settings = dict(run.settings)
    if settings.get('parent'):
        settings['parent'] = digest(state_dict_of(load_checkpoint(settings['parent'])))
    return {'stage': run.stage, 'arm': run.arm, 'seed': run.seed, **settings}


def _train_classifier(run: Run, config: Config, parents: Mapping, folder: Path) -> RunResult:
    architecture = architecture_of(config)
    config.dump(folder / CONFIG)
    if run.settings.get('parent') and not ARMS.get(CLASSIFICATION, run.arm).pruned:
        metrics, checkpoint, epochs = _adopt(run, config, architecture, folder), PARENT, 0
    else:
        metrics, checkpoint = _train(config, folder)
        epochs = config.train_cfg.max_epochs
    architecture.save(folder / ARCHITECTURE)
    cost = architecture.cost()
    spent = BACKWARD * cost.macs * _training_images(config) * epochs if epochs else None
    return replace(
        _described(run, metrics, parents, spent),
        **asdict(cost),
        epochs=epochs,
        checkpoint=checkpoint,
        digest=digest(load_checkpoint(folder / checkpoint)['state_dict']),
        architecture=ARCHITECTURE,
    )


def _prune(run: Run, config: Config, parents: Mapping, folder: Path) -> RunResult:
    if 'architecture' in run.settings:
        return _take_architecture(run, parents, folder)
    trained, *others = parents.values()
    architecture = PrunedArchitecture.load(trained.architecture_path)
    state = state_dict_of(load_checkpoint(trained.checkpoint_path))
    options = dict(run.settings['pruner'])
    pruner = build_pruner(options)
    pruned = prune_state(state, pruner, architecture, TrainingBatches(config))
    unpruned = others[0] if others else trained
    initial = initial_weights(unpruned.checkpoint_path)
    described = _described(run, {}, parents, 0)
    predefined = isinstance(pruner, LayerwisePruner)  # its target is known without any weights
    return replace(
        described,
        shape_train_macs=0 if predefined else described.total_train_macs,
        **asdict(pruned.architecture.cost()),
        **_kept(pruned, folder / INHERITED, trained, options, config, initial),
    )


def _prune_detector(run: Run, config: Config, parents: Mapping, folder: Path) -> RunResult:
    trained, _ = parents.values()
    options = dict(run.settings['pruner'])
    path = trained.checkpoint_path
    checkpoint = load_checkpoint(path)
    data = DetectionBatches(config)
    pruned = prune_detector(config, checkpoint, path, build_pruner(options), data)
    return replace(
        _described(run, {}, parents, 0),
        **asdict(backbone_cost(pruned.architecture)),
        **_kept(pruned, folder / PRUNED, trained, options, config),
    )


def _kept(
    pruned: PruneResult,
    path: Path,
    trained: RunResult,
    options: Mapping,
    config: Config,
    initial: Mapping | None = None,
) -> dict:
    """Write what pruning gave, and say so for the result."""
    pruned.architecture.save(path.with_name(ARCHITECTURE))
    provenance = {'parent_digest': trained.digest, 'pruner': dict(options)}
    inputs = InputConvention.of_settings(config.model.get('data_preprocessor'))
    content = save_pruned(pruned, path, provenance, initial, inputs)
    return {
        'epochs': 0,
        'checkpoint': path.name,
        'digest': content,
        'architecture': ARCHITECTURE,
    }


def _take_architecture(run: Run, parents: Mapping, folder: Path) -> RunResult:
    """A published architecture in place of pruning: a shape, and no weights."""
    architecture = PrunedArchitecture.load(run.settings['architecture'])
    architecture.save(folder / ARCHITECTURE)
    return replace(
        _described(run, {}, parents, 0),
        shape_train_macs=0,
        **asdict(architecture.cost()),
        epochs=0,
        digest=architecture.digest,
        architecture=ARCHITECTURE,
    )


def _train_detector(run: Run, config: Config, parents: Mapping, folder: Path) -> RunResult:
    architecture = PrunedArchitecture.load(config.model.backbone.architecture)
    config.dump(folder / CONFIG)
    keep_curves(config)
    metrics, checkpoint = _train(config, folder)
    saved = load_checkpoint(folder / checkpoint)
    state = saved['state_dict']
    shape = _test_shape(config)
    macs = backbone_cost(architecture, shape).macs
    epochs = config.train_cfg.max_epochs
    own = BACKWARD * macs * _training_images(config) * epochs
    return replace(
        _described(run, metrics, parents, own),
        params=sum(t.numel() for n, t in state.items() if not _is_buffer(n)),
        macs=macs,
        macs_of='backbone',
        input_shape=shape,
        epochs=epochs,
        checkpoint=checkpoint,
        digest=digest(state),
        transferred=_transferred(saved),
        **detector_facts(config, architecture, folder / checkpoint, folder),
    )


def _transferred(checkpoint: Mapping) -> Transferred:
    """What ``TransferHook`` wrote into a trained detector's checkpoint."""
    proof = (checkpoint.get('meta') or {}).get('provenance') or {}
    return Transferred(proof.get('tensors'), proof.get('parent_digest'))


_STAGES = {
    'classification': _train_classifier,
    'pruning': _prune,
    'detection': _train_detector,
    'detector-pruning': _prune_detector,
}


def _train(config: Config, folder: Path) -> tuple[dict, str]:
    config.resume = last_checkpoint(folder) is not None
    config.load_from = None
    config.default_hooks.progress = {'type': 'rethink_det.ProgressHook'}
    metrics = train(config)
    return metrics, last_checkpoint(folder).name


def _adopt(run: Run, config: Config, architecture: PrunedArchitecture, folder: Path) -> dict:
    """Take a given parent instead of training one: check it, copy it, evaluate it."""
    state = state_dict_of(load_checkpoint(run.settings['parent']), run.settings['parent'])
    network = architecture.build_network()
    load_exactly(network, state)
    meta = {'architecture': architecture.to_dict(), 'provenance': {'arm': run.arm}}
    inputs = InputConvention.of_settings(config.model.get('data_preprocessor'))
    if inputs is not None:
        meta[KEY] = inputs.to_dict()
    checkpoint = {'meta': meta, 'state_dict': network.state_dict()}
    save_checkpoint(checkpoint, folder / PARENT)
    return evaluate(config, folder / PARENT)


def _described(
    run: Run, metrics: Mapping, parents: Mapping[str, RunResult], train_macs: float | None
) -> RunResult:
    """What every result says; compute is None where that of a given parent is unknown."""
    before = _compute_before(run, parents)
    total = None if None in (before, train_macs) else before + train_macs
    return RunResult(
        stage=run.stage,
        arm=run.arm,
        seed=run.seed,
        model=run.model,
        metrics=metrics,
        train_macs=train_macs,
        total_train_macs=total,
        reference=run.reference,
        plan=Plan(str(run.config), plain(run.options), plain(run.settings)),
    )


def _compute_before(run: Run, parents: Mapping[str, RunResult]) -> float | None:
    """Training compute of what a run cannot do without: its parent, or the shape alone."""
    parent = next(iter(parents.values()), None)
    if parent is None:
        return 0
    trained = run.stage == CLASSIFICATION
    takes_weights = trained and ARMS.get(CLASSIFICATION, run.arm).takes_weights
    shape_alone = parent.stage == 'pruning' and not takes_weights
    return parent.shape_train_macs if shape_alone else parent.total_train_macs


def _training_images(config: Config) -> int:
    """Length of the training set, which the runner has built before and cached."""
    with scope_of(config):
        return len(build(DATASETS, config.train_dataloader.dataset))


def _test_shape(config: Config) -> tuple[int, int, int]:
    """Input of the detector by its test pipeline's Resize, ``(3, height, width)``."""
    pipeline = config.test_dataloader.dataset.pipeline
    scale = next((step.scale for step in pipeline if step.type == 'Resize'), (128, 128))
    divisor = config.model.data_preprocessor.get('pad_size_divisor', 1)
    width, height = (-(-side // divisor) * divisor for side in scale)
    return 3, height, width


def _is_buffer(name: str) -> bool:
    return name.rsplit('.', 1)[-1] in ('running_mean', 'running_var', 'num_batches_tracked')


@contextlib.contextmanager
def _console(path: Path):
    """Everything a run prints goes to its folder; the study shows progress instead."""
    with (
        path.open('a') as file,
        contextlib.redirect_stdout(file),
        contextlib.redirect_stderr(file),
    ):
        try:
            yield
        finally:
            _close_loggers()


def _close_loggers() -> None:
    """Close the files of finished runs; their loggers live as long as the process."""
    for logger in MMLogger._instance_dict.values():
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
            handler.close()
