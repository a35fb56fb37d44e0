"""Draw what a trained or exported network finds on pictures; two side by side."""

import argparse

from rethink_det.cli.config_options import add_ema
from rethink_det.layout import PREDICTIONS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        'network', help='checkpoint, work dir of a training, or ONNX file of an export'
    )
    parser.add_argument('images', nargs='+', help='pictures, or folders of pictures')
    parser.add_argument('--out', required=True, metavar='DIR', help='folder of what is drawn')
    parser.add_argument('--config', help='that trained it, if it does not lie beside it')
    parser.add_argument(
        '--json',
        action='store_true',
        help=f'also write {PREDICTIONS}: COCO results, of a classifier its best classes',
    )
    parser.add_argument(
        '--threshold',
        type=float,
        default=0.3,
        help='least score of an object that is shown (default: 0.3)',
    )
    parser.add_argument(
        '--side-by-side',
        metavar='OTHER',
        help='another network, drawn on the right',
    )
    add_ema(parser, 'the checkpoint')
