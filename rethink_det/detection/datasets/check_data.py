"""Looking at a detector's data before training starts."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.fileio import list_from_file

from rethink_det.datasets.picture_files import same_pictures
from rethink_det.datasets.wrappers import unwrapped
from rethink_det.detection.datasets.check_evaluators import check_evaluators
from rethink_det.detection.datasets.class_heads import class_heads
from rethink_det.detection.datasets.coco_part import CocoPart
from rethink_det.detection.datasets.part import Part
from rethink_det.detection.datasets.voc_part import VocPart
from rethink_det.detection.wrapped import MODEL, detector_of, has_detector
from rethink_det.errors import UserError
from rethink_det.registered import Kind, is_type, registered, scope_of
from rethink_det.registry import DATASETS

_BUILT_ON_DEMAND = 'rethink_det.ShapesCoco'
_SPLITS = ('train', 'val', 'test')


def check_data(config: Config, splits: Sequence[str] = _SPLITS) -> tuple[str, ...]:
    """Refuse a config whose COCO or VOC files do not agree with each other and with its heads.

    Every file is compared with what else speaks of the same: its pictures, the config's classes,
    the heads, the other splits, the evaluators. Where it cannot be what is meant, that is refused;
    what mmdet would leave out in silence, or what may be meant, is said.

    Args:
        config: Any config; data sets of another kind are left to their own checks.
        splits: Which dataloaders to look at.

    Returns:
        What a user is to know, a line each: what is left out, pictures that are in two splits.

    Raises:
        UserError: Names the file, what in it is wrong, and what to do.
    """
    with scope_of(config, 'mmdet'):
        return tuple(_checked(config, splits))


def _checked(config: Config, splits: Sequence[str]) -> Iterator[str]:
    place, model = detector_of(config) if has_detector(config) else (MODEL, config.get(MODEL))
    heads = _class_heads(model or {}, place)
    seen: set[str] = set()
    found: dict[str, list[Part]] = {}
    for split in splits:
        found[split] = list(data_parts(config, split))
        for part in found[split]:
            if (place := _place(part)) not in seen:
                seen.add(place)
                yield from part.check(heads)
        if not _is_built_on_demand(config, split):
            coco = [part for part in found[split] if isinstance(part, CocoPart)]
            complete = coco if len(coco) == len(list(_leaves(config, split))) else []
            check_evaluators(config.get(f'{split}_evaluator'), complete, f'{split}_evaluator')
    _check_same_classes([part for parts in found.values() for part in parts])
    for other in ('val', 'test'):
        yield from _check_leak(found.get('train', []), found.get(other, []), other, found)


def _leaves(config: Config, split: str) -> Iterator[tuple[Mapping, str]]:
    root = (config.get(f'{split}_dataloader') or {}).get('dataset')
    if root:
        yield from unwrapped(root, f'{split}_dataloader.dataset')


def _is_built_on_demand(config: Config, split: str) -> bool:
    return any(is_type(one, _BUILT_ON_DEMAND, DATASETS) for one, _ in _leaves(config, split))


def data_parts(config: Config, split: str) -> Iterator[Part]:
    """The data sets of a split that are looked at: local ones, in a format that is known."""
    for settings, key in _leaves(config, split):
        place = f'{settings.get("data_root")} {settings.get("ann_file")}'
        if not settings.get('ann_file') or '://' in place:
            continue
        if is_type(settings, _BUILT_ON_DEMAND, DATASETS):
            continue
        kind = registered(DATASETS, settings['type'])
        if reads_as_voc(kind):
            yield VocPart(key, settings, class_names(settings))
        elif reads_as_coco(kind):
            yield CocoPart(key, settings, class_names(settings))
        elif not (path := Path(settings.get('data_root') or '') / settings['ann_file']).is_file():
            raise UserError(f'{path} does not exist. Set {key}.data_root and {key}.ann_file.')


def part_pictures(config: Config, split: str) -> list[Path]:
    """Files of the pictures of a split, as far as :func:`data_parts` knows them."""
    with scope_of(config, 'mmdet'):
        return [path for part in data_parts(config, split) for path in part.pictures()]


def _place(part: Part) -> str:
    names = ('type', 'data_root', 'ann_file', 'data_prefix', 'metainfo', 'filter_cfg', 'test_mode')
    steps = [step for step in part.settings.get('pipeline') or () if 'Load' in str(step['type'])]
    return str([part.settings.get(name) for name in names] + steps)


def class_names(settings: Mapping) -> tuple[str, ...]:
    """The classes of a data set's config, or else of its own class; empty if neither says."""
    own = getattr(registered(DATASETS, settings['type']), 'METAINFO', {}).get('classes')
    names = (settings.get('metainfo') or {}).get('classes') or own or ()
    if isinstance(names, str):  # MMEngine's way: a file with a class on every line
        return tuple(list_from_file(names)) if os.path.isfile(names) else (names,)
    return tuple(names)


def reads_as_voc(kind: Kind | None) -> bool:
    """Whether a data set class reads a list of images and an XML file of each."""
    voc = registered(DATASETS, 'mmdet.XMLDataset')
    return isinstance(kind, type) and isinstance(voc, type) and issubclass(kind, voc)


def reads_as_coco(kind: Kind | None) -> bool:
    """Whether a data set class reads its file as mmdet's CocoDataset does.

    Some of its subclasses (LVIS, Objects365, panoptic COCO) read files of other keys.
    """
    coco = registered(DATASETS, 'mmdet.CocoDataset')
    methods = ('load_data_list', 'parse_data_info')
    return isinstance(kind, type) and all(
        getattr(kind, name, None) is getattr(coco, name) for name in methods
    )


def _class_heads(model: Mapping, key: str) -> dict[str, int]:
    """Config key to number of classes of every head that tells the data set's classes apart."""
    if model.get('language_model'):
        return {}  # grounding: its heads count the words of a prompt
    return {f'{head.place}.{head.key}': head.number for head in class_heads(model, key)}


def _check_same_classes(parts: Sequence[Part]) -> None:
    """Names are given to numbers by each data set alone: all must do it alike."""
    named = [part for part in parts if part.classes]
    for part in named[1:]:
        if part.classes != named[0].classes:
            raise UserError(
                f'{named[0].key} has the classes {_some(named[0].classes)}, but {part.key} has '
                f'{_some(part.classes)}: metainfo.classes must be the same, in the same order.'
            )


def _check_leak(
    train: Sequence[Part], held: Sequence[Part], split: str, found: Mapping[str, Sequence[Part]]
) -> Iterator[str]:
    """Pictures of a split that are trained on, too.

    It is said and not refused: whether a detector can learn a few pictures by heart is what many
    try first.
    """
    if split == 'test' and set(map(_place, held)) <= set(map(_place, found.get('val', ()))):
        return
    pictures = [path for part in held for path in part.pictures()]
    both = same_pictures(pictures, [path for part in train for path in part.pictures()])
    if both:
        one, other = both[0]
        yield (
            f'WARNING: {len(both)} of {len(pictures)} pictures of {split} are trained on, too, '
            f'byte by byte ({one} is {other}): what {split} measures is also memory.'
        )


def _some(names: Sequence[str], most: int = 12) -> str:
    return ', '.join(names[:most]) + (', ...' if len(names) > most else '')
