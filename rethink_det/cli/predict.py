"""Draw what a trained detector finds on pictures; two detectors side by side."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rethink_det.cli.config_options import add_ema
from rethink_det.datasets.progress_bar import progress
from rethink_det.detection.prediction import Detections, LoadedDetector, load_detector
from rethink_det.detection.prediction.drawing import (
    drawn,
    read_picture,
    side_by_side,
    write_picture,
)
from rethink_det.errors import UserError
from rethink_det.files import save_json

RESULTS = 'predictions.json'
SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('network', help='checkpoint, or work dir of a training')
    parser.add_argument('images', nargs='+', help='pictures, or folders of pictures')
    parser.add_argument('--out', required=True, metavar='DIR', help='folder of what is drawn')
    parser.add_argument('--config', help='that trained it, if it does not lie beside it')
    parser.add_argument(
        '--json', action='store_true', help=f'also write {RESULTS}, in the format of COCO results'
    )
    parser.add_argument(
        '--threshold', type=float, default=0.3, help='least score of what is shown (default: 0.3)'
    )
    parser.add_argument(
        '--side-by-side',
        metavar='OTHER',
        help='checkpoint or work dir of another detector, drawn on the right',
    )
    add_ema(parser, 'the checkpoint')


def run(options: argparse.Namespace) -> int:
    """Draw what is found, one picture a file of the same name."""
    if not 0 <= options.threshold <= 1:
        raise UserError(f'--threshold must be in [0, 1], got {options.threshold}.')
    images = pictures(options.images)
    detectors = {options.network: load_detector(options.network, options.config, options.ema)}
    if options.side_by_side:
        detectors[options.side_by_side] = load_detector(options.side_by_side)
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    rows: list[dict] = []
    names = _names(images)
    for image in progress(images, len(images), 'pictures'):
        found = [one.predict(image, options.threshold) for one in detectors.values()]
        _draw(image, found, list(detectors), out / names[image])
        first: LoadedDetector = next(iter(detectors.values()))
        rows += found[0].coco_rows(names[image], range(1, len(first.classes) + 1))
        print(f'{image}: {_said(found)}')
    if options.json:
        save_json(rows, out / RESULTS)
    print(f'wrote {len(images)} pictures into {out}')
    return 0


def pictures(given: Sequence[str]) -> list[Path]:
    """All pictures that are named, or lie in folders that are.

    Raises:
        UserError: One does not exist, or a folder holds none.
    """
    found: list[Path] = []
    for path in map(Path, given):
        if path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.suffix.lower() in SUFFIXES)
            if not inside:
                raise UserError(f'{path} holds no picture ({", ".join(SUFFIXES)}).')
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise UserError(f'{path} does not exist.')
    return list(dict.fromkeys(found))


def _names(images: Sequence[Path]) -> dict[Path, str]:
    """What is written for each; pictures of one name in several folders are told apart."""
    names: dict[Path, str] = {}
    for image in images:
        name, number = image.name, 1
        while name in names.values():
            number += 1
            name = f'{image.stem}-{number}{image.suffix}'
        names[image] = name
    return names


def _draw(image: Path, found: Sequence[Detections], titles: Sequence[str], file: Path) -> None:
    pixels = read_picture(image)
    shown = [drawn(pixels, one) for one in found]
    write_picture(file, shown[0] if len(shown) == 1 else side_by_side(shown, titles))


def _said(found: Sequence[Detections]) -> str:
    return ' | '.join(_counted(one) for one in found)


def _counted(found: Detections) -> str:
    names = found.names
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    return ', '.join(f'{number} {name}' for name, number in counts.items()) or 'nothing'
