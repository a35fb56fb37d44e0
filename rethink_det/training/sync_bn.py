"""mmcv's synchronised BatchNorm is PyTorch's: the same layer, by operators that are always there.

mmcv's asks for the group of processes as it is built, before a launcher has made one, and for
compiled operators; PyTorch's can be built anywhere, and MMEngine puts BatchNorm in its place where
there is one process. Both compute the statistics of the images of all GPUs together.
"""

from collections.abc import Iterator, MutableMapping
from typing import Any

from mmengine.config import Config

from rethink_det.architecture.backbone import SYNC
from rethink_det.errors import UserError

MMCV, OWN = 'MMSyncBN', SYNC
_SCOPES = ('', 'mmcv', 'mmengine', 'mmdet')
_ADDED = ('stats_mode', 'group')
"""What mmcv's takes and PyTorch's not: how GPUs are weighted that have other numbers of images,
which PyTorch does by their number always; and a part of the GPUs alone."""


def set_sync_bn(config: Config) -> list[str]:
    """Put PyTorch's SyncBN in the place of mmcv's MMSyncBN everywhere, in place.

    Args:
        config: Of any model.

    Returns:
        Lines that say so, one if there was any.

    Raises:
        UserError: One is for a part of the processes, which PyTorch's layer cannot be told here.
    """
    places = list(_of_mmcv(config._cfg_dict.get('model'), 'model'))
    for place, layer in places:
        if layer.get('group') is not None:
            raise UserError(
                f'{place}: {MMCV} of a group of processes cannot be built before there are any. '
                f'Remove {place}.group.'
            )
        for key in _ADDED:
            layer.pop(key, None)
        layer['type'] = OWN
    if not places:
        return []
    first, more = places[0][0], f' and {len(places) - 1} more' if places[1:] else ''
    return [
        f"{first}.type{more}: {MMCV} -> {OWN}, PyTorch's of the same layer; with one process it is "
        'BN'
    ]


def _of_mmcv(node: Any, place: str) -> Iterator[tuple[str, MutableMapping]]:
    """All layers of mmcv's type, each with its place."""
    if isinstance(node, MutableMapping):
        scope, _, kind = str(node.get('type')).rpartition('.')
        if kind == MMCV and scope in _SCOPES:
            yield place, node
        for key in node:
            yield from _of_mmcv(node[key], f'{place}.{key}')
    elif isinstance(node, (list, tuple)):
        for number, part in enumerate(node):
            yield from _of_mmcv(part, f'{place}.{number}')
