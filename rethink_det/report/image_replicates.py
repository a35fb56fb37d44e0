"""What an evaluation hands over besides its metrics: of which images they are, and their noise."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from rethink_det.errors import UserError
from rethink_det.files import save_json
from rethink_det.layout import REPLICATES
from rethink_det.report.schema import read, read_file

FORMAT = 'rethink_det.image_replicates'
VERSION = 1
DIGITS = 6
REMEDY = 'delete the file, and evaluate again'


@dataclass(frozen=True)
class ImageReplicates:
    """Metrics on the test images drawn anew; fields of :class:`.run_result.RunResult`.

    Attributes:
        test_images: How many images the metrics are of.
        test_digest: Digest of these images and what is true of them.
        replicates: By metric, its value on each draw, see :mod:`.image_draws`.
    """

    test_images: int
    test_digest: str
    replicates: Mapping[str, tuple[float, ...]]

    @classmethod
    def of(cls, images: int, digest: str, values: Mapping[str, np.ndarray]) -> 'ImageReplicates':
        """Of arrays (draws), rounded to :data:`DIGITS` decimals, far below any noise."""
        rounded = {name: tuple(np.round(one, DIGITS).tolist()) for name, one in values.items()}
        return cls(images, digest, rounded)

    def joined(self, other: 'ImageReplicates') -> 'ImageReplicates':
        """With the metrics of another one on the same images.

        Raises:
            UserError: They are of other images.
        """
        if other.test_digest != self.test_digest:
            names = ' and '.join(', '.join(one.replicates) for one in (self, other))
            raise UserError(f'{names} are not of the same test images')
        both = {**self.replicates, **other.replicates}
        return ImageReplicates(self.test_images, self.test_digest, both)

    def write(self, folder: Path) -> None:
        """Write them into a run's folder, atomically."""
        save_json({'format': FORMAT, 'version': VERSION, **asdict(self)}, folder / REPLICATES)

    @classmethod
    def read(cls, folder: Path) -> 'ImageReplicates':
        """What an evaluation left in a run's folder.

        Raises:
            UserError: It left none, says why it could not, or the file is damaged.
        """
        path = folder / REPLICATES
        try:
            content = read_file(path, FORMAT, VERSION, REMEDY)
        except FileNotFoundError:
            raise UserError(
                'the evaluation has no metric of this package, which tells images apart'
            ) from None
        if UNMEASURED in content:
            raise UserError(str(content[UNMEASURED]))
        return read(cls, content, str(path), REMEDY)


UNMEASURED = 'unmeasured'
"""In place of all else in the file, why there are none."""


def write_reason(reason: str, folder: Path) -> None:
    """Write down why there are none, where they would stand."""
    save_json({'format': FORMAT, 'version': VERSION, UNMEASURED: reason}, folder / REPLICATES)
