"""What ``rethink-det predict`` does."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rethink_det.datasets.pixels import read_picture, side_by_side, told_apart, write_picture
from rethink_det.datasets.progress_bar import progress
from rethink_det.detection.prediction import PictureDetector
from rethink_det.errors import UserError
from rethink_det.files import save_json
from rethink_det.layout import PREDICTIONS
from rethink_det.prediction import load_network
from rethink_det.prediction.loading import Loaded
from rethink_det.prediction.showing import Found, drawn, rows, said

SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')


def run(options: argparse.Namespace) -> int:
    """Draw what is found, one picture a file of the same name."""
    if not 0 <= options.threshold <= 1:
        raise UserError(f'--threshold must be in [0, 1], got {options.threshold}.')
    images = pictures(options.images)
    networks = {options.network: load_network(options.network, options.config, options.ema)}
    if options.side_by_side:
        networks[options.side_by_side] = load_network(options.side_by_side)
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    written: list[dict] = []
    titles = told_apart(list(networks))
    names = _names(images)
    for image in progress(images, len(images), 'pictures'):
        found = [_found(one, image, options.threshold) for one in networks.values()]
        _draw(image, found, titles, out / names[image])
        written += rows(found[0], names[image])
        print(f'{image}: {" | ".join(map(said, found))}')
    if options.json:
        save_json(written, out / PREDICTIONS)
    print(f'wrote {len(images)} pictures into {out}')
    return 0


def _found(network: Loaded, image: Path, threshold: float) -> Found:
    if isinstance(network, PictureDetector):
        return network.predict(image, threshold)
    return network.predict(image)


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


def _draw(image: Path, found: Sequence[Found], titles: Sequence[str], file: Path) -> None:
    pixels = read_picture(image)
    shown = [drawn(one, pixels) for one in found]
    write_picture(file, shown[0] if len(shown) == 1 else side_by_side(shown, titles))
