"""Data sets inside others: repeated, joined, balanced by class."""

from collections.abc import Iterator, Mapping


def unwrapped(dataset: Mapping, place: str) -> Iterator[tuple[Mapping, str]]:
    """A data set and its place in the config, or those that it wraps, however deep.

    Args:
        dataset: Config of a data set.
        place: Its key, ``'train_dataloader.dataset'``.
    """
    inner = dataset.get('datasets') or []
    wrapped = {f'datasets.{i}': part for i, part in enumerate(inner)}
    if dataset.get('dataset'):
        wrapped['dataset'] = dataset['dataset']
    if not wrapped:
        yield dataset, place
    for name, part in wrapped.items():
        yield from unwrapped(part, f'{place}.{name}')
