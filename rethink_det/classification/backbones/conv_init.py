"""Initial weights that the convolutional networks of this package share."""


def conv_and_norm(bn_weight: float = 1.0, mode: str = 'fan_out') -> list[dict]:
    """MMEngine initializers: convolutions Kaiming normal, biases 0, BN constant.

    Paper: Delving Deep into Rectifiers (arXiv 1502.01852), section 2.2: a weight's variance is
    2 over the number of its fan, kernel area times input or output channels.

    Args:
        bn_weight: Initial scale of every BatchNorm. arXiv 1708.06519, section 4.3, takes 0.5.
        mode: ``'fan_out'`` or ``'fan_in'``.
    """
    return [
        dict(type='Kaiming', layer='Conv2d', mode=mode),
        dict(type='Constant', layer='BatchNorm2d', val=bn_weight),
    ]
