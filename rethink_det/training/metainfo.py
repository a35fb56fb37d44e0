"""Names of classes in a config that are one text: MMEngine takes a text for a file that has them.

``classes=('raccoon')`` is one, a comma short of a tuple, and so is ``metainfo.classes=raccoon`` on
a command line. Where there is no such file MMEngine goes on with the text, whose letters are then
taken for names here and there.
"""

import os
from collections.abc import Iterator, MutableMapping
from typing import Any

from mmengine.config import Config

CLASSES = 'classes'


def name_classes(config: Config) -> None:
    """Make a tuple of every text that is the name of a class, in place; a file's name stays."""
    for split in ('train', 'val', 'test'):
        for metainfo in _all(config.get(f'{split}_dataloader')):
            name = metainfo.get(CLASSES)
            if isinstance(name, str) and not os.path.isfile(name):
                metainfo[CLASSES] = (name,)


def _all(node: Any) -> Iterator[MutableMapping]:
    """What is called so anywhere in a data loader's config."""
    if isinstance(node, MutableMapping):
        own = node.get('metainfo')
        yield from [own] if isinstance(own, MutableMapping) else []
        yield from _all(node.get('dataset'))
        yield from _all(node.get('datasets'))
    elif isinstance(node, (list, tuple)):
        for part in node:
            yield from _all(part)
