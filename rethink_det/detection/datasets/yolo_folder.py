"""A folder in YOLO format: ``data.yaml``, or a list of names; pictures, and a text file of each.

Where pictures and labels are follows the rules of Ultralytics' trainer: paths start from ``path``
or from the folder of the YAML file, ``../train/images`` of an export of Roboflow's too; the labels
of ``.../images/a.jpg`` are ``.../labels/a.txt``, or else beside it. What the YAML file says beside
that is not read, and nothing is downloaded.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import yaml

from rethink_det.datasets.picture_files import read_header
from rethink_det.detection.datasets.labelled import (
    Labelled,
    LabelledPicture,
    pictures_below,
)
from rethink_det.detection.datasets.split_names import SPLITS, spelled
from rethink_det.detection.datasets.yolo_labels import read_labels
from rethink_det.errors import UserError

YAML = ('data.yaml', 'data.yml', 'dataset.yaml', '*.yaml', '*.yml')
NAMES = (
    'classes.txt', 'obj.names', 'data/obj.names', 'labels/classes.txt', 'train/_darknet.labels',
)  # fmt: skip
"""Files with a class on every line, of tools that write no YAML file: LabelImg, CVAT, Darknet."""
_FOLDERS = ('images/{}', '{}/images', 'obj_{}_data', '{}')
_WHOLE = ('images', 'obj_train_data', 'data/obj_train_data', '.')
_MOST_YAML = 1 << 20  # bytes


def find_yolo(root: Path) -> Labelled | None:
    """The labels of a folder in YOLO format; None if it is none.

    Raises:
        UserError: The YAML file names no classes, or pictures that are not there; or a label that
            makes no sense.
    """
    described = _described(root)
    if described is None:
        return None
    file, content = described
    names, by_yaml = _names(content, file), file.suffix in ('.yaml', '.yml')
    places = dict(_places(content, file)) if by_yaml else _usual(root)
    if not places or not (by_yaml or any(map(_labels_of, places.get('train', ())))):
        return None
    count = _keypoints(content.get('kpt_shape'))
    splits: dict[str, list[LabelledPicture]] = {}
    unlabelled, read = 0, 0
    for split, pictures in places.items():
        labels = [_labels_of(picture) for picture in pictures]
        if not any(labels):
            raise UserError(
                f'{file}: none of {len(pictures)} pictures of {split} has a file of labels; '
                f'looked for {_candidates(pictures[0])[0]} for {pictures[0].name}, and so on.'
            )
        unlabelled += labels.count(None)
        read += len(labels) - labels.count(None)
        splits[split] = [
            _labelled(picture, label, names, count)
            for picture, label in zip(pictures, labels, strict=True)
        ]
    told = [f'{read} files of labels in YOLO format by {file.name}']
    told += [f'{unlabelled} pictures without one'] if unlabelled else []
    told += ['keypoints are left out'] if count else []
    told += ['its download is not run'] if content.get('download') else []
    return Labelled(splits, names, '; '.join(told))


def _described(root: Path) -> tuple[Path, Mapping[str, Any]] | None:
    """The file that names the classes, and what it says."""
    for pattern in YAML:
        for file in sorted(root.glob(pattern)):
            content = _read_yaml(file)
            if 'names' in content and {'train', 'val', 'path'} & content.keys():
                return file, content
    for name in NAMES:
        if (root / name).is_file():
            lines = (root / name).read_text(encoding='utf-8-sig').splitlines()
            return root / name, {'names': [line.strip() for line in lines if line.strip()]}
    return None


def _read_yaml(file: Path) -> Mapping[str, Any]:
    if file.stat().st_size > _MOST_YAML:
        return {}
    try:
        content = yaml.safe_load(file.read_text(encoding='utf-8-sig', errors='replace'))
    except (yaml.YAMLError, RecursionError) as error:
        raise UserError(f'{file} is no YAML file: {" ".join(str(error).split())[:200]}') from None
    return content if isinstance(content, dict) else {}


def _names(content: Mapping[str, Any], file: Path) -> tuple[str, ...]:
    """Of the classes, by their numbers."""
    said, count = content['names'], content.get('nc')
    if isinstance(said, dict):
        if {str(key) for key in said if isinstance(key, (str, int))} != _numbers(len(said)):
            raise UserError(f'{file}: names must number the classes from 0 on, without a gap.')
        said = [said.get(number, said.get(str(number))) for number in range(len(said))]
    plain = isinstance(said, list) and all(isinstance(one, (str, int)) for one in said)
    names = tuple(map(str, said)) if plain else ()
    if not names or len(set(names)) < len(names):
        raise UserError(f'{file}: names must give each class a name of its own.')
    if count is not None and count != len(names):
        raise UserError(f'{file}: nc is {count!r}, but there are {len(names)} names.')
    return names


def _numbers(count: int) -> set[str]:
    return {str(number) for number in range(count)}


def _places(content: Mapping[str, Any], file: Path) -> Iterator[tuple[str, list[Path]]]:
    """The pictures of each split that a YAML file names."""
    root = file.parent / str(content.get('path') or '')
    for split, keys in SPLITS.items():
        said = next((content[key] for key in keys if content.get(key)), None)
        if said is None:
            continue
        places = said if isinstance(said, list) else [said]
        pictures = [path for one in places for path in _listed(str(one), root, file)]
        if not pictures:
            raise UserError(f'{file}: {split} is {said!r}, where no pictures are.')
        yield split, pictures


def _listed(said: str, root: Path, file: Path) -> list[Path]:
    """The pictures of a folder, or of a list of them, that a YAML file names."""
    for place in _where(said.replace('\\', '/'), root, file.parent):
        if place.is_dir():
            return pictures_below(place)
        if place.is_file() and place.suffix == '.txt':
            lines = [line.strip() for line in place.read_text().splitlines() if line.strip()]
            found = [_first_of(line, place.parent, root) for line in lines]
            missing = [line for line, path in zip(lines, found, strict=True) if path is None]
            if missing:
                raise UserError(f'{place}: {len(missing)} pictures are not there: {missing[0]}')
            return [path for path in found if path is not None]
    raise UserError(
        f'{file} names {said!r}, which is not there: neither below {root} nor beside it.'
    )


def _where(said: str, root: Path, folder: Path) -> Iterator[Path]:
    """What a YAML file may mean: a path of the machine that wrote it ends in one of this."""
    yield from (root / said, folder / said, folder / said.removeprefix('../'))
    if said.startswith('/') or said[1:2] == ':':
        parts = said.split('/')[1:]
        yield from (folder.joinpath(*parts[start:]) for start in range(len(parts)))


def _first_of(line: str, *folders: Path) -> Path | None:
    return next((folder / line for folder in folders if (folder / line).is_file()), None)


def _usual(root: Path) -> dict[str, list[Path]]:
    """The pictures of each split where nothing says where they are; if no split is named, all."""
    for pattern in _FOLDERS:
        found = {split: _in_one_of(root, pattern, split) for split in SPLITS}
        if found['train']:
            return {split: pictures for split, pictures in found.items() if pictures}
    for name in _WHOLE:
        if (root / name).is_dir() and (pictures := pictures_below(root / name)):
            return {'train': pictures}
    return {}


def _in_one_of(root: Path, pattern: str, split: str) -> list[Path]:
    folders = [root / pattern.format(name) for name in spelled(split)]
    return next((pictures_below(folder) for folder in folders if folder.is_dir()), [])


def _candidates(picture: Path) -> Sequence[Path]:
    """Where the labels of a picture may be."""
    beside = picture.with_suffix('.txt')
    parts = list(beside.parts)
    places = [place for place, part in enumerate(parts[:-1]) if part == 'images']
    if places:
        parts[places[-1]] = 'labels'
        return Path(*parts), beside
    return beside, picture.parent / 'labels' / beside.name


def _labels_of(picture: Path) -> Path | None:
    return next((file for file in _candidates(picture) if file.is_file()), None)


def _labelled(
    picture: Path, labels: Path | None, names: Sequence[str], points: int
) -> LabelledPicture:
    width, height = read_header(picture).shown
    objects = () if labels is None else read_labels(labels, names, width, height, points)
    return LabelledPicture(picture, width, height, objects)


def _keypoints(shape: object) -> int:
    """How many numbers of keypoints follow each box: how many there are, times numbers of each."""
    numbers = shape if isinstance(shape, list) else []
    whole = len(numbers) == 2 and all(isinstance(number, int) for number in numbers)
    return prod(numbers) if whole else 0
