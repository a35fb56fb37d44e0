"""The names that lukemelas/EfficientNet-PyTorch gives the tensors of an EfficientNet.

Its networks and timm's have the same tensors in the same order, but squeeze-and-excitation, which
is behind the depthwise convolution in both.
"""

LAYERS = ('_expand_conv', '_bn0', '_depthwise_conv', '_bn1', '_project_conv', '_bn2')
OUTSIDE = {
    'conv_stem': '_conv_stem', 'bn1': '_bn0', 'conv_head': '_conv_head', 'bn2': '_bn1',
    'classifier': '_fc',
}  # fmt: skip
SQUEEZE = {'se.conv_reduce': '_se_reduce', 'se.conv_expand': '_se_expand'}


def lukemelas(state):
    """A state dict of timm's under lukemelas's names."""
    blocks, renamed = {}, {}
    for name in state:
        if name.startswith('blocks.'):
            layer = name.rpartition('.')[0].split('.', 3)
            inner = blocks.setdefault('.'.join(layer[1:3]), [])
            if layer[3] not in (*SQUEEZE, *inner):
                inner.append(layer[3])
    for name, tensor in state.items():
        layer, _, leaf = name.rpartition('.')
        new = OUTSIDE.get(layer) or _in_block(layer, blocks)
        renamed[f'{new}.{leaf}'] = tensor
    return renamed


def _in_block(layer, blocks):
    _, stage, block, inner = layer.split('.', 3)
    own = blocks[f'{stage}.{block}']
    number = list(blocks).index(f'{stage}.{block}')
    new = SQUEEZE.get(inner) or LAYERS[len(LAYERS) - len(own) + own.index(inner)]
    return f'_blocks.{number}.{new}'
