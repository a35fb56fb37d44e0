"""Other metrics in the place of a config's own."""

from collections.abc import Callable, Mapping, Sequence

from mmengine.config import Config

from rethink_det.transfer.adapted import Change, difference
from rethink_det.transfer.readers import parts


def replace_evaluators(
    config: Config, ours: Callable[[Mapping], Mapping], reason: str
) -> list[Change]:
    """Replace the metrics of validation and test, in place.

    Args:
        config: Config of any model.
        ours: Maps a metric's config to the one in its place, or to itself.
        reason: Of the changes, in words.

    Returns:
        What changes.
    """
    changes: list[Change] = []
    for key in ('val_evaluator', 'test_evaluator'):
        old = dict(parts(config, key))
        new = {place: ours(metric) for place, metric in old.items()}
        for place, metric in old.items():
            kinds = metric.get('type'), new[place].get('type')
            changes += difference(f'{place}.type', *kinds, reason)
        if new != old:
            config[key] = [*new.values()] if isinstance(config[key], Sequence) else new[key]
    return changes
