"""What the parts of a training config are: refused as it is read where one is something else.

MMEngine finds out late, by a traceback that names no key.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.config import Config
from mmengine.config.lazy import LazyAttr, LazyObject

from rethink_det.bounds import MOST_EPOCHS, MOST_SEED
from rethink_det.errors import UserError
from rethink_det.packages import check_installed
from rethink_det.report.schema import check_value

_SPLITS = ('train', 'val', 'test')
_LOADERS = [f'{split}_dataloader' for split in _SPLITS]
_DICTS = (
    'model', 'train_cfg', 'val_cfg', 'test_cfg', 'optim_wrapper', 'optim_wrapper.optimizer',
    'default_hooks', 'env_cfg', 'randomness', 'custom_imports', 'log_processor', 'model.backbone',
    'model.head', 'model.data_preprocessor', *_LOADERS, *(f'{one}.dataset' for one in _LOADERS),
)  # fmt: skip
_LISTS = ('custom_hooks',)
_EITHER = (
    'param_scheduler', 'model.neck', *(f'{split}_evaluator' for split in _SPLITS),
)  # fmt: skip
_TEXTS = ('work_dir', 'load_from', 'experiment_name', 'default_scope', 'launcher')
_NUMBERS: dict[str, tuple[Any, float, float]] = {
    'train_cfg.max_epochs': (int, 1, MOST_EPOCHS),
    'train_cfg.max_iters': (int, 1, 10**12),
    'randomness.seed': (int, 0, MOST_SEED),
    'optim_wrapper.optimizer.lr': (float, 0, 1000),
    'optim_wrapper.optimizer.momentum': (float, 0, 1),
    'optim_wrapper.optimizer.weight_decay': (float, 0, 1000),
    **{f'{one}.batch_size': (int, 1, 10**6) for one in _LOADERS},
    **{f'{one}.num_workers': (int, 0, 1024) for one in _LOADERS},
}
"""Numbers by their keys: the type, the least and the most."""


def check_parts(config: Config, where: str) -> None:
    """Refuse a config with a part that is none.

    Args:
        config: Of a training, or of anything that has such parts.
        where: The file, for messages.

    Raises:
        UserError: Names the file, the key and what is valid.
    """
    _check_keys(config, where)
    kinds: tuple[tuple[Sequence[str], Any], ...] = (
        (_DICTS, Mapping | None),
        (_LISTS, Sequence[Mapping] | None),
        (_EITHER, Mapping | Sequence[Mapping] | None),
        (_TEXTS, str | None),
    )
    for keys, hint in kinds:
        for key in keys:
            check_value(hint, _at(config, key), where, key)
    for key, (kind, *limits) in _NUMBERS.items():
        check_value(kind | None, _at(config, key), where, key, (limits[0], limits[1]))


def _at(node: Any, key: str) -> Any:
    """What stands at a dotted key; None if nothing does."""
    for part in key.split('.'):
        node = node.get(part) if isinstance(node, (Mapping, Config)) else None
    return node


def _check_keys(config: Config, where: str) -> None:
    """Refuse NaN, which nothing means, and what a lazy config imports and is not there."""
    waiting: list[tuple[str, Any]] = [('', config._cfg_dict)]
    while waiting:
        key, node = waiting.pop()
        if isinstance(node, Mapping):
            # Past ConfigDict's own items(), which imports what a lazy config names.
            items = dict.items(node) if isinstance(node, dict) else node.items()
            waiting += [(f'{key}.{name}' if key else str(name), one) for name, one in items]
        elif isinstance(node, (list, tuple)):
            waiting += [(f'{key}.{number}', one) for number, one in enumerate(node)]
        elif isinstance(node, (LazyObject, LazyAttr)):
            check_installed(node.module, f'{where}: {key!r}')
        elif isinstance(node, float) and node != node:
            raise UserError(f'{where}: {key!r} is not a number (nan).')
