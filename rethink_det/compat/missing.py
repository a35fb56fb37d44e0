"""The error for an operator of mmcv that nobody here supplies."""

from rethink_det.errors import UserError

SUPPLIED = (
    'NMS (hard, soft and in groups), RoIAlign, deformable convolution, attention and RoI pooling, '
    'masked convolution, CARAFE and the sigmoid focal loss'
)
"""What `rethink_det.compat.operators` holds, in words."""

# The first key that the operator's name contains is taken.
_WAYS_AROUND = {
    'roi_pool': "write roi_layer=dict(type='RoIAlign', ...) in the roi extractor",
    'pool_mode': "write pool_mode='avg' in the roi extractor's roi_layer",
}


def way_around(name: str) -> str | None:
    """What to write in a config so that operator ``name`` is not called, if there is a way."""
    return next((way for key, way in _WAYS_AROUND.items() if key in name), None)


def missing_operator(name: str) -> UserError:
    """The error for an operator that nobody here supplies.

    Args:
        name: the operator's name in ``mmcv._ext``, e.g. ``'carafe_forward'``.

    Returns:
        UserError: not raised; its message names the operator and the remedy.
    """
    around = way_around(name)
    return UserError(
        f'mmcv operator {name} is needed, but mmcv is installed without compiled operators and '
        f'rethink_det supplies only {SUPPLIED}. Install mmcv with compiled operators (e.g. '
        f"'mim install mmcv'){f', or {around}' if around else ''}."
    )
