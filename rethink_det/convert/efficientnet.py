"""EfficientNets under the names of other code: timm's, and those of lukemelas/EfficientNet-PyTorch.

Both have the network of arXiv 1905.11946 tensor by tensor. Here it is timm's backbone and
``rethink_det.ConvHead``. lukemelas's code counts blocks through, timm's by stages; the first
stages' blocks without expansion call their layers otherwise than the rest.
"""

from collections.abc import Collection

TIMM = 'network.'
"""What ``rethink_det.TimmBackbone`` puts in front of timm's names."""

_TIMM_HEAD = {'conv_head': 'head.conv', 'bn2': 'head.bn', 'classifier': 'head.fc'}
_LUKEMELAS_STEM = {'_conv_stem': 'conv_stem', '_bn0': 'bn1'}
_LUKEMELAS_HEAD = {'_conv_head': 'head.conv', '_bn1': 'head.bn', '_fc': 'head.fc'}
_SQUEEZE = {'_se_reduce': 'se.conv_reduce', '_se_expand': 'se.conv_expand'}
_EXPANDING = {
    '_expand_conv': 'conv_pw',
    '_bn0': 'bn1',
    '_depthwise_conv': 'conv_dw',
    '_bn1': 'bn2',
    '_project_conv': 'conv_pwl',
    '_bn2': 'bn3',
}
_PLAIN = {'_depthwise_conv': 'conv_dw', '_bn1': 'bn1', '_project_conv': 'conv_pw', '_bn2': 'bn2'}


def own_names(name: str, own: Collection[str], backbone: str) -> list[str]:
    """What a tensor of an EfficientNet may be called here.

    Args:
        name: The foreign name.
        own: Names of the network's tensors, from which it is read how many blocks a stage has.
        backbone: What the names of the backbone's tensors begin with.
    """
    layer, _, leaf = name.rpartition('.')
    place = f'{backbone}{TIMM}'
    if layer.startswith('_blocks.'):
        new = _block(layer, own, f'{place}blocks.')
    elif layer in _LUKEMELAS_STEM:
        new = place + _LUKEMELAS_STEM[layer]
    else:
        new = (_LUKEMELAS_HEAD | _TIMM_HEAD).get(layer)
    return [place + name] if new is None else [place + name, f'{new}.{leaf}']


def _block(layer: str, own: Collection[str], place: str) -> str | None:
    """timm's name of a layer of one of lukemelas's blocks, ``_blocks.7._bn2``."""
    _, number, inner = layer.split('.', 2)
    paths = {tuple(n.removeprefix(place).split('.')[:2]) for n in own if n.startswith(place)}
    blocks = sorted(tuple(map(int, path)) for path in paths)
    if not number.isdecimal() or int(number) >= len(blocks):
        return None
    block = '{}{}.{}'.format(place, *blocks[int(number)])
    expands = f'{block}.conv_pwl.weight' in own
    new = (_SQUEEZE | (_EXPANDING if expands else _PLAIN)).get(inner)
    return new and f'{block}.{new}'
