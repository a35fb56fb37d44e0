"""Width and height that annotations declare, against those that the pictures have."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rethink_det.datasets.picture_files import Header, read_header, spread
from rethink_det.datasets.progress_bar import progress
from rethink_det.detection.datasets.loading import Reading, reading
from rethink_det.errors import UserError

MOST = 10_000
"""Pictures of a file whose headers are read; of more, as many spread evenly."""

_UPRIGHT = 'write the pictures upright and without the tag'
_AS_SHOWN = "color_type='color'"
_AS_STORED = "color_type='color_ignore_orientation'"


class Declared(NamedTuple):
    """A picture, and the width and height in pixels that an annotation says it has."""

    path: Path
    width: float
    height: float

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        return self.width, self.height


def check_sizes(
    pictures: Sequence[Declared], source: Path, settings: Mapping, key: str
) -> Iterator[str]:
    """Compare what is declared with the headers of the pictures.

    Args:
        pictures: With what is declared of them.
        source: The file or folder that declares it.
        settings: Config of the data set, which says how pictures are read.
        key: Its place in the config.

    Raises:
        UserError: A picture is damaged; pictures have another size; or they are turned by an EXIF
            tag, and it is not known whether their boxes are.
    """
    looked, how = spread(pictures, MOST), reading(settings)
    wrong: list[tuple[Declared, Header]] = []
    unclear: list[Declared] = []
    for picture in progress(looked, len(looked), 'Reading the sizes of pictures'):
        header = read_header(picture.path)
        if picture.size != (header.shown if how.as_shown else header.stored):
            wrong.append((picture, header))
        elif header.turned != 1 and header.shown == header.stored:
            unclear.append(picture)
    if wrong:
        raise UserError(_mismatch(wrong, len(looked), source, how, key))
    if unclear and how.as_shown and not how.stated:
        raise UserError(
            f'{len(unclear)} of {len(looked)} pictures of {source} are turned by an EXIF tag '
            f'({unclear[0].path.name}, ...), and their sizes do not tell whether boxes are drawn '
            f'on them as they are shown or as they are stored. Say it in LoadImageFromFile of '
            f'{key}.pipeline, by {_AS_SHOWN} or {_AS_STORED}; or {_UPRIGHT}.'
        )
    if len(looked) < len(pictures):
        yield (
            f'{source}: the sizes of {len(looked)} of {len(pictures)} pictures, evenly spread, '
            'were compared.'
        )


def _mismatch(
    wrong: Sequence[tuple[Declared, Header]], looked: int, source: Path, how: Reading, key: str
) -> str:
    picture, header = wrong[0]
    width, height = header.shown if how.as_shown else header.stored
    told = (
        f'{len(wrong)} of {looked} pictures are not of the size that {source} says: '
        f'{picture.path} is {width} x {height} pixels, not {picture.width:g} x {picture.height:g}.'
    )
    other = header.stored if how.as_shown else header.shown
    if header.turned == 1 or picture.size != other:
        return (
            f'{told} Boxes must be drawn on the pictures as they are: use the pictures that were '
            'annotated, or annotate these.'
        )
    setting = _AS_STORED if how.as_shown else _AS_SHOWN
    return (
        f'{told} An EXIF tag turns it: set {setting} in LoadImageFromFile of {key}.pipeline, '
        f'or {_UPRIGHT}.'
    )
