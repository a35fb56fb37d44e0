"""Export a trained network: ONNX, torch, timm, mmdet; compared before it is written.

Of a pruned classifier its checkpoint is enough. A detector needs the config that trained it as
well, and the size of its images; Faster and Mask R-CNN are exported whole, with their
post-processing, others by their feature maps (--backbone) or what their heads put out (--heads).
Of a classifier of timm --timm writes a Python file that makes it, and its weights, which need timm
and not this package. Of a detector --plain writes a config and weights that mmdet runs without
this package.
"""

import argparse

from rethink_det.cli.config_options import add_ema, add_force, add_imports
from rethink_det.defaults import ANY_BATCH


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('config', nargs='?', help='config that trained it; needed for detectors')
    parser.add_argument('checkpoint', help='trained weights')
    formats = parser.add_mutually_exclusive_group(required=True)
    formats.add_argument('--onnx', action='store_true', help='the format')
    formats.add_argument(
        '--torch',
        action='store_true',
        help='a program of torch: torch.export (.pt2, default), or TorchScript (-o FILE.ts)',
    )
    formats.add_argument(
        '--timm', action='store_true', help='a factory (.py) and weights (.pth) for plain timm'
    )
    formats.add_argument(
        '--plain', action='store_true', help="a detector's config and weights for plain mmdet"
    )
    parser.add_argument(
        '-o', '--out', help='default: beside the checkpoint, under its name (--plain: in plain/)'
    )
    add_force(parser)
    add_ema(parser, 'the checkpoint')
    parts = parser.add_mutually_exclusive_group()
    parts.add_argument(
        '--heads',
        action='store_true',
        help='of a detector: what its heads put out, before that becomes detections',
    )
    parts.add_argument(
        '--backbone',
        action='store_true',
        help='the feature maps instead of scores or detections; of a detector those of its neck',
    )
    parser.add_argument(
        '--input-shape',
        nargs=3,
        type=int,
        metavar=('C', 'H', 'W'),
        help="of an image; default: the architecture's; needed for detectors",
    )
    parser.add_argument(
        '--batch',
        metavar='N',
        help=f"images at a time, or '{ANY_BATCH}' for any number (default; whole detectors take 1)",
    )
    parser.add_argument(
        '--normalise',
        action='store_true',
        help='read RGB pixels (uint8) and normalise them inside; else the input is normalised',
    )
    add_imports(parser)
