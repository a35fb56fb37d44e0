"""What the data of a config holds: the same folder with other pictures is other data.

Of annotations, archives and weights every byte counts. Of pictures the names and sizes of all
count, and the bytes of :data:`READ` of them, spread over all: a million pictures are not read
before each run. The embedded shapes follow from their config, so nothing is looked at.
"""

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rethink_det.datasets import CIFAR10, CIFAR100, ImageFolder, ImageNet, ShapesCrops
from rethink_det.datasets.cifar.source import find_source
from rethink_det.datasets.picture_files import spread
from rethink_det.datasets.splits import stored_split
from rethink_det.datasets.wrappers import unwrapped
from rethink_det.detection.datasets.check_data import reads_as_coco, reads_as_voc
from rethink_det.detection.datasets.coco_part import CocoPart
from rethink_det.detection.datasets.voc_part import VocPart
from rethink_det.errors import UserError
from rethink_det.registered import Kind, is_type, registered, scope_of
from rethink_det.registry import DATASETS
from rethink_det.report.checksums import of_file

READ = 500
"""How many pictures of a data set are read."""
DIGITS = 16
"""Hex digits of a digest that are shown."""
SPLITS = ('train', 'val', 'test')
SUFFIXES = {
    '.bmp', '.gif', '.jpeg', '.jpg', '.png', '.ppm', '.tif', '.tiff', '.webp',
    '.bin', '.csv', '.h5', '.json', '.npy', '.npz', '.pkl', '.pt', '.tar', '.txt', '.xml', '.zip',
}  # fmt: skip
"""How the files end that count in a folder whose data set is of an unknown kind."""
OTHERS = {'decoded', 'work_dirs'}
"""Folders beside data that hold no data."""
_DRAWN = ('rethink_det.ShapesCoco', 'rethink_det.ShapesSegmentation')
"""Data sets that follow from their config."""
Content = dict[str, dict[str, str]]


def data_content(config: Config, known: Collection[str] = ()) -> Content:
    """What stands in the files that a config's data sets, evaluators and model name.

    Args:
        config: Resolved; what it names and is not there is left out.
        known: Files that are known by other means, those of parents.

    Returns:
        By key of the config a digest of each kind of file,
        ``{'train_dataloader.dataset': {'annotations': '...', 'pictures': '600 files, ...'}}``.
    """
    found: Content = {}
    with scope_of(config, 'mmdet'):
        for split in SPLITS:
            root = (config.get(f'{split}_dataloader') or {}).get('dataset')
            for settings, key in unwrapped(root, f'{split}_dataloader.dataset') if root else ():
                found[key] = _of_data_set(settings, key)
    found['model'] = dict(_of_files(config.get('model') or {}, Path(), known))
    there = {key: {what: one for what, one in c.items() if one} for key, c in found.items()}
    return {key: content for key, content in there.items() if content}


def _of_data_set(settings: Mapping, key: str) -> dict[str, str]:
    try:
        kind = registered(DATASETS, settings['type'])
        if kind is ShapesCrops or is_type(settings, _DRAWN, DATASETS):
            return {}
        return _read(kind, settings, key)
    except (UserError, OSError, KeyError, TypeError, ValueError):
        return {}  # whoever is to train on it says what is wrong with it


def _read(kind: Kind | None, settings: Mapping, key: str) -> dict[str, str]:
    root = Path(settings.get('data_root') or '').expanduser()
    if kind in (CIFAR10, CIFAR100):
        return {'files': _digest(_cifar_files(kind, settings, root), root)}
    if kind in (ImageFolder, ImageNet):
        split = settings.get('split', 'train')
        folder = root / (split if kind is ImageNet else stored_split(split, 1))
        return {'pictures': of_pictures(_below(folder), root)}
    if settings.get('ann_file') and reads_as_coco(kind):
        part = CocoPart(key, settings, ())
        return _annotated(part.file.path, part.pictures(), root)
    if settings.get('ann_file') and reads_as_voc(kind):
        return _of_voc(VocPart(key, settings, ()))
    return _of_unknown(settings, root)


def _cifar_files(kind: Any, settings: Mapping, root: Path) -> list[Path]:
    source = find_source(root, kind.title, kind.versions)
    stored = stored_split(settings.get('split', 'train'), 1)
    return source.files((*source.version.splits[stored], source.version.names))


def _annotated(annotations: Path, pictures: Iterable[Path], root: Path) -> dict[str, str]:
    return {'annotations': _of_file(annotations), 'pictures': of_pictures(pictures, root)}


def _of_voc(part: VocPart) -> dict[str, str]:
    folder = part.folder / part.settings.get('ann_subdir', 'Annotations')
    files = [folder / f'{name}.xml' for name in part.names]
    told = _annotated(part.listing, part.pictures(), part.root)
    return {**told, 'objects': _digest(files, part.root)}


def _of_unknown(settings: Mapping, root: Path) -> dict[str, str]:
    """Of a data set whose class is not known: the files that it names, and its folders'."""
    prefixes = settings.get('data_prefix') or {}
    named = [prefixes] if isinstance(prefixes, str) else list(dict(prefixes).values())
    folders = [root / prefix for prefix in named if isinstance(prefix, str)]
    folders = folders or ([root] if settings.get('data_root') else [])
    below = (path for folder in folders for path in _below(folder))
    files = dict(_of_files({k: v for k, v in settings.items() if k != 'pipeline'}, root))
    return files | ({'pictures': of_pictures(below, root)} if folders else {})


def _of_files(
    settings: Any, root: Path, known: Collection[str] = (), key: str = ''
) -> Iterator[tuple[str, str]]:
    """The files that are named anywhere in a config, by their keys."""
    if isinstance(settings, Mapping):
        for name, value in settings.items():
            yield from _of_files(value, root, known, f'{key}.{name}' if key else str(name))
    elif isinstance(settings, (list, tuple)):
        for place, value in enumerate(settings):
            yield from _of_files(value, root, known, f'{key}.{place}')
    elif _is_file(settings, root) and settings not in known:
        yield key, _of_file(root / settings)


def _is_file(value: Any, root: Path) -> bool:
    return isinstance(value, str) and '.' in value and os.path.isfile(root / value)


def _below(folder: Path) -> Iterator[Path]:
    """The files of a folder that may be data, in order."""
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(x for x in folders if x not in OTHERS and not x.startswith('.'))
        for name in sorted(names):
            if os.path.splitext(name)[1].lower() in SUFFIXES and not name.startswith('.'):
                yield Path(place, name)


def of_pictures(paths: Iterable[Path], root: Path) -> str:
    """How many there are, and a digest of their names, sizes and, of some, bytes.

    Args:
        paths: Of the files; one that is not there has no size. If none is, the answer is empty.
        root: Where their names begin.
    """
    listed, sha, total = list(dict.fromkeys(paths)), hashlib.sha256(), 0
    for path in listed:
        size = _size(path)
        total += max(size, 0)
        sha.update(f'{os.path.relpath(path, root)}\0{size}\0'.encode(errors='surrogateescape'))
    for path in spread(listed, READ):
        sha.update(_of_file(path).encode() if path.is_file() else b'')
    return f'{len(listed)} files, {total} bytes, {sha.hexdigest()[:DIGITS]}' if total else ''


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return -1


def _digest(paths: Iterable[Path], root: Path) -> str:
    """Of the names and all bytes of files."""
    sha = hashlib.sha256()
    for path in paths:
        sha.update(f'{os.path.relpath(path, root)}\0{_of_file(path)}\0'.encode())
    return sha.hexdigest()[:DIGITS]


def _of_file(path: Path) -> str:
    status = os.stat(path)
    return _of_bytes(os.path.realpath(path), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=1 << 16)
def _of_bytes(path: str, size: int, changed: int) -> str:
    return of_file(Path(path))[:DIGITS]
