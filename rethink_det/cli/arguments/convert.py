"""Convert a checkpoint of another tool: foreign weights in, self-describing out.

Reads weights of torchvision and timm, networks that other code has cut (channels and blocks from
the shapes of the tensors), the pruning history of Torch-Pruning, the fix_subnet files of mmrazor,
what NVIDIA ModelOpt has cut, the channel selections of Network Slimming, and masks: those of
torch.nn.utils.prune, or exact zeros. What has to be unpickled by running code (a whole model,
tp.state_dict) is refused: tools/foreign/plain_weights.py takes its weights out.
"""

import argparse

from rethink_det.cli.config_options import add_ema, add_force, add_imports
from rethink_det.defaults import READ_HEADS, ZEROS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        'source', help='checkpoint with a state dict, or timm:NAME, torchvision:NAME[.WEIGHTS]'
    )
    parser.add_argument('-o', '--out', required=True, metavar='OUT', help='converted checkpoint')
    add_force(parser)
    add_ema(parser, 'the checkpoint')
    parser.add_argument(
        '--base',
        metavar='ARCHITECTURE',
        help='what the network was before it was cut: published name, timm.NAME, '
        'torchvision.NAME (of all networks of those libraries), name in torchvision, JSON '
        'file, checkpoint, or config of a classifier, which also says how images are normalised; '
        'default: found by the tensors, if they are those of a whole network of torchvision, of '
        'an EfficientNet-Lite, or of a ResNet-50 or VGG-GAP of the code of arXiv 1810.05270',
    )
    parser.epilog = f'Heads that are read, of networks of timm and torchvision: {READ_HEADS}.'
    parser.add_argument(
        '--subnet',
        metavar='FILE',
        help='which channels were kept: pruning history of Torch-Pruning or fix_subnet of mmrazor',
    )
    parser.add_argument(
        '--masks',
        nargs='?',
        type=float,
        const=ZEROS,
        metavar='SHARE',
        help='take exact zeros for removed weights, in layers where they are at least this share '
        f'({ZEROS} if none is given)',
    )
    add_imports(parser)
