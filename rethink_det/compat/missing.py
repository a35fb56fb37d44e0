"""The error for an operator of mmcv that nobody here supplies."""

from rethink_det.errors import UserError

# What to write in a config so that the operator is not called. The first key that the
# operator's name contains is taken.
_WAYS_AROUND = {
    'deform_conv': "remove 'dcn' and 'stage_with_dcn' from the backbone",
    'softnms': "write nms=dict(type='nms', iou_threshold=...) in the test_cfg",
    'roi_pool': "write roi_layer=dict(type='RoIAlign', ...) in the roi extractor",
    'pool_mode': "write pool_mode='avg' in the roi extractor's roi_layer",
    'carafe': "use the neck 'FPN' and the mask head's upsample_cfg=dict(type='deconv')",
    'nms_match': "use the sampler 'RandomSampler'",
    'ms_deform_attn': 'choose a detector without deformable attention',
}


def missing_operator(name: str) -> UserError:
    """The error for an operator that torchvision does not supply.

    Args:
        name: the operator's name in ``mmcv._ext``, e.g. ``'softnms'``.

    Returns:
        UserError: not raised; its message names the operator and the remedy.
    """
    around = next((way for key, way in _WAYS_AROUND.items() if key in name), None)
    return UserError(
        f'mmcv operator {name} is needed, but mmcv is installed without compiled operators and '
        'rethink_det supplies only NMS and RoIAlign. Install mmcv with compiled operators (e.g. '
        f"'mim install mmcv'){f', or {around}' if around else ''}."
    )
