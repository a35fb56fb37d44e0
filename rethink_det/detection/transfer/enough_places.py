"""Detectors that start their queries from the best places of their feature maps need so many.

DINO (arXiv 2203.03605, section 3.4), DDQ and two-stage Deformable DETR pick 900 places or 300. A
small picture has fewer, and mmdet fails over it. Padded, as a small picture is beside a larger one
in a batch, it has enough.
"""

from collections.abc import Mapping, Sequence

from mmengine.config import Config

from rethink_det.detection.measuring.input_size import input_size
from rethink_det.detection.wrapped import detector_of
from rethink_det.errors import UserError
from rethink_det.transfer.adapted import Change
from rethink_det.transfer.readers import parts

_PICKING = {'DINO': 1.0, 'GroundingDINO': 1.0, 'DDQDETR': 1.5}
"""Models that always do so, and how many places to a query they look at."""
_COARSEST = 32
"""Stride of a backbone's last map."""
_KEY = 'pad_size_divisor'


def pad_for_queries(config: Config) -> list[Change]:
    """Let pictures be padded that are too small for the queries of a detector, in place.

    Args:
        config: Of any detector. It is changed where its test pictures, as its pipeline makes them,
            have fewer places in all maps together than the model picks.

    Returns:
        The change, if it is one.
    """
    place, model = detector_of(config)
    _, neck = next(parts(model, 'neck'), ('', {}))
    kind, queries = str(model.get('type')).rpartition('.')[-1], model.get('num_queries')
    reads = neck.get('in_channels')
    picks = kind in _PICKING or model.get('as_two_stage')
    if not picks or not queries or not isinstance(reads, Sequence):
        return []
    needed = queries * _PICKING.get(kind, 1.0)
    finest = _COARSEST // 2 ** (len(reads) - 1)
    strides = [finest * 2**level for level in range(neck.get('num_outs', len(reads)))]
    try:
        _, height, width = input_size(config).shape
    except UserError:  # nothing to tell it by
        return []
    if _places(height, width, strides) >= needed:
        return []
    side = _COARSEST
    while _places(side, side, strides) < needed:
        side *= 2
    settings: Mapping = model.get('data_preprocessor') or {}
    before = settings.get(_KEY, 1)
    model['data_preprocessor'] = {**settings, _KEY: side}
    reason = (
        f'as pictures of {width} x {height} have fewer places in all feature maps than the '
        f'{needed:g} that num_queries={queries} are picked from'
    )
    return [Change(f'{place}.data_preprocessor.{_KEY}', before, side, reason)]


def _places(height: int, width: int, strides: Sequence[int]) -> int:
    return sum(-(-height // stride) * -(-width // stride) for stride in strides)
