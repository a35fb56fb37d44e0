"""Export a trained network to ONNX, compared with PyTorch before the file is written.

Of a pruned classifier its checkpoint is enough. A detector needs the config that trained it as
well, and the size of its images; Faster and Mask R-CNN are exported whole, with their
post-processing, others by their feature maps (--backbone).
"""

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from rethink_det.benchmark.timing import measure
from rethink_det.errors import UserError
from rethink_det.export.networks import Found, find
from rethink_det.export.onnx import (
    BATCHES,
    OPSET,
    TOLERANCE,
    Exportable,
    OnnxNetwork,
    check_installed,
    export,
)
from rethink_det.files import replacing
from rethink_det.training.config import find_config, load_config

ROUNDS = 10
"""Timings, of which the median is told."""

ANY = 'dynamic'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('config', nargs='?', help='config that trained it; needed for detectors')
    parser.add_argument('checkpoint', help='trained weights')
    parser.add_argument('--onnx', action='store_true', required=True, help='the format')
    parser.add_argument(
        '-o', '--out', metavar='OUT.onnx', help='default: beside the checkpoint, under its name'
    )
    parser.add_argument(
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
        help=f"images at a time, or '{ANY}' for any number (default; whole detectors take 1)",
    )
    parser.add_argument(
        '--normalise',
        action='store_true',
        help='read RGB pixels (uint8) and normalise them inside; else the input is normalised',
    )


def run(options: argparse.Namespace) -> int:
    """Export, compare, write; print what the file holds and how fast it is."""
    check_installed()
    out = _out(options)
    config = load_config(find_config(options.config)) if options.config else None
    found = find(config, options.checkpoint, _shape(options.input_shape), options.backbone)
    subject = found.normalised(options.checkpoint) if options.normalise else found.subject
    subject = replace(subject, batch=_batch(options.batch, subject))
    content, difference = export(subject)
    with replacing(out) as file:
        file.write(content)
    print(f'wrote {out}: {len(content):,} bytes, ONNX opset {OPSET}')
    _show(found, subject, difference)
    _show_latency(subject, OnnxNetwork(content))
    return 0


def _out(options: argparse.Namespace) -> Path:
    if options.out is None:
        source = Path(options.checkpoint)
        return source.with_name(source.stem + ('-backbone.onnx' if options.backbone else '.onnx'))
    if not options.out.endswith('.onnx'):
        raise UserError(f'-o {options.out}: the name of an ONNX file ends in .onnx.')
    return Path(options.out)


def _shape(given: Sequence[int] | None) -> tuple[int, int, int] | None:
    if given and min(given) < 1:
        raise UserError(f'--input-shape must be three positive numbers, got {given}.')
    return tuple(given) if given else None


def _batch(given: str | None, subject: Exportable) -> int | None:
    """How many images at a time; None for any number."""
    if given not in (None, ANY) and not (given.isdecimal() and int(given) > 0):
        raise UserError(f"--batch must be a positive number or '{ANY}', got {given!r}.")
    if subject.settings and given not in (None, '1'):  # a whole detector
        raise UserError(f'A whole detector takes one image at a time, not --batch {given}.')
    return subject.batch if given in (None, ANY) else int(given)


def _show(found: Found, subject: Exportable, difference: float) -> None:
    size = 'x'.join(map(str, subject.input_shape))
    images = 'RGB pixels, uint8' if subject.pixels else 'normalised, float32'
    if found.convention and not subject.pixels:
        images += f' ({found.convention})'
    print(f'  images: {subject.batch or "any number"} of {size}, {images}')
    for name, default in subject.settings.items():
        print(f'  {name}: may be left out, {default:g} then')
    print(f'  outputs: {", ".join(subject.outputs)}')
    print(f'  params: {found.cost.params:,}')
    print(f'  macs: {found.cost.macs:,} at {size}')
    batches = BATCHES if subject.batch is None else (subject.batch,)
    print(
        f'  onnxruntime differs from PyTorch by {difference:.1e} (allowed {TOLERANCE:g}), on '
        f'random images in batches of {" and ".join(map(str, batches))}'
    )


def _show_latency(subject: Exportable, peer: OnnxNetwork) -> None:
    images = subject.random_images(subject.batch or 1)
    calls = {
        'PyTorch': lambda: subject.run(images),
        'onnxruntime': lambda: peer.run(images),
    }
    medians = {name: statistics.median(t) for name, t in measure(calls, ROUNDS).items()}
    times = ', '.join(f'{name} {1000 * seconds:.2f} ms' for name, seconds in medians.items())
    where = f'CPU, threads: {torch.get_num_threads()}'
    print(f'  latency, median of {ROUNDS}, batch {len(images)}, {where}: {times}')
