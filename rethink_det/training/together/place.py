"""As which of how many a run is computed: noted in its folder, for whoever goes on with it."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from rethink_det.errors import UserError
from rethink_det.files import save_json
from rethink_det.layout import TOGETHER
from rethink_det.report.schema import NEEDED, read, read_file, within

FORMAT, VERSION = 'rethink_det.together', 1
MOST = 64
"""Members that a group has at most."""
REMEDY = 'delete the folder of the run, and it is done again'


@dataclass(frozen=True)
class Place:
    """Which of how many members of a group a run is computed as.

    It keeps both for good: what an operation over all members gives one of them, bit by bit, may
    depend on how many there are, but not on who the others are.

    Attributes:
        number: From 0.
        size: How many places there are.
    """

    number: int = field(default=0, metadata={**within(0, MOST - 1), **NEEDED})
    size: int = field(default=1, metadata={**within(1, MOST), **NEEDED})

    def write(self, folder: Path) -> None:
        """Note it in the folder of a run."""
        save_json({'format': FORMAT, 'version': VERSION, **asdict(self)}, folder / TOGETHER)

    @classmethod
    def read(cls, folder: Path) -> 'Place | None':
        """What is noted in the folder of a run; None if nothing is.

        Raises:
            UserError: It is damaged, or no place.
        """
        path = folder / TOGETHER
        try:
            content = read_file(path, FORMAT, VERSION, REMEDY)
        except FileNotFoundError:
            return None
        place = read(cls, content, str(path), REMEDY)
        if place.number >= place.size:
            raise UserError(f'{path}: there is no place {place.number} of {place.size}; {REMEDY}')
        return place
