"""What a training was done by, read off its resolved config."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from rethink_det.files import plain
from rethink_det.registered import is_type
from rethink_det.registry import OPTIM_WRAPPERS
from rethink_det.report.training_facts import ALONE, FLOAT32, TOGETHER, TrainingFacts
from rethink_det.study import ledger
from rethink_det.study.attempts import Attempts
from rethink_det.study.nodes import ClassifierPruning, DetectorPruning, Run
from rethink_det.training import Budget

PIPELINE = 'pipeline'
"""Key of what a data set of mmdet does to its images; wrappers have one, too."""


def training_facts(
    config: Config, run: Run, trials: Mapping[float, float] | None = None
) -> TrainingFacts:
    """The facts of a training.

    Args:
        config: Of the run, resolved.
        run: What the study plans.
        trials: Of the learning rates that were tried for it the accuracies, in percent.
    """
    loader = plain(config.train_dataloader.to_dict())
    wrapper = plain(config.optim_wrapper.to_dict())
    optimizer, budget = wrapper.pop('optimizer', None) or {}, Budget.of(config)
    preprocessor = plain(config.model.get('data_preprocessor') or {})
    others = {key: value for key, value in optimizer.items() if key != 'lr'}
    kind = wrapper.pop('type', 'OptimWrapper')
    return TrainingFacts(
        data=_bare(str(loader['dataset'].get('type'))),
        data_digest=_digest_of(_parts(loader['dataset'], pipelines=False)),
        images=Attempts()('images', lambda: ledger.training_images(config)),
        augmentation=_digest_of([_parts(loader['dataset'], pipelines=True), preprocessor]),
        epochs=budget.epochs,
        batch_size=loader.get('batch_size'),
        lr=optimizer.get('lr'),
        schedule=', then '.join(map(_in_words, plain(budget.schedulers))) or 'constant',
        optimizer=_in_words(others) + (f' in {_in_words(wrapper, kind)}' if wrapper else ''),
        prunings=prunings_of(run),
        tuning={str(lr): value for lr, value in (trials or {}).items()},
        precision=precision_of(config),
        computed=TOGETHER if config.train_cfg.get('together') else ALONE,
    )


def precision_of(config: Config) -> str | None:
    """What a training computes in, by its optimizer wrapper; None of one that is not known."""
    wrapper = config.optim_wrapper
    for names, precision in _PRECISIONS.items():
        if is_type(wrapper, names, OPTIM_WRAPPERS):
            return str(wrapper.get('dtype', precision))
    return None if 'type' in wrapper else FLOAT32


_PRECISIONS = {
    'mmengine.OptimWrapper': FLOAT32,
    'rethink_det.BFloat16OptimWrapper': 'bfloat16',
    'mmengine.AmpOptimWrapper': 'float16',  # unless its dtype says otherwise
}


def prunings_of(run: Run) -> int:
    """How often the network of a run was pruned on its way there."""
    own = isinstance(run, ClassifierPruning | DetectorPruning)
    return own + max(map(prunings_of, run.parents.values()), default=0)


def _digest_of(value: Any) -> str:
    """Of plain values; 16 hex digits."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _bare(kind: str) -> str:
    """A ``type`` without its scope."""
    return kind.rpartition('.')[2]


def _parts(dataset: Any, pipelines: bool) -> Any:
    """A data set's settings without its pipelines and those of what it wraps, or only these."""
    if isinstance(dataset, Mapping):
        inner = {key: _parts(one, pipelines) for key, one in dataset.items() if key != PIPELINE}
        if not pipelines:
            return inner
        nested = [one for one in inner.values() if one]
        return [dataset[PIPELINE], *nested] if PIPELINE in dataset else nested
    if isinstance(dataset, list):
        parts = [_parts(one, pipelines) for one in dataset]
        return [part for part in parts if part] if pipelines else parts
    return [] if pipelines else dataset


def _in_words(settings: Mapping[str, Any], kind: str = '') -> str:
    """``'SGD(momentum=0.9)'``, the settings by their names."""
    kind = _bare(settings.get('type') or kind)
    others = {key: one for key, one in settings.items() if key != 'type'}
    defaults = {'by_epoch': True}  # whether it is written down or not
    named = [f'{key}={others[key]}' for key in sorted(others) if defaults.get(key) != others[key]]
    return f'{kind}({", ".join(named)})' if named else kind
