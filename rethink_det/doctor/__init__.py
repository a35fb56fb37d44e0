"""What is installed, found and possible here, one module an idea; ``examine`` asks them all."""

from collections.abc import Callable, Sequence

from rethink_det.doctor.data import DATA_CHECKS
from rethink_det.doctor.finding import Ability, Finding, carefully
from rethink_det.doctor.hardware import check_device, check_disk, check_shared_memory
from rethink_det.doctor.operators import check_operators
from rethink_det.doctor.page import page
from rethink_det.doctor.software import check_line, check_versions
from rethink_det.layout import WORK_DIRS

__all__ = ['CHECKS', 'Ability', 'Finding', 'examine', 'page']

CHECKS: dict[str, Callable[[], Finding]] = {
    'versions': check_versions,
    'MMEngine line': check_line,
    'mmcv operators': check_operators,
    'device': check_device,
    'shared memory': check_shared_memory,
    **DATA_CHECKS,
    WORK_DIRS: check_disk,
}
"""Every check by the name of its section; data sets by the folder that configs name."""


def examine(checks: Sequence[str] | None = None) -> dict[str, Finding]:
    """The findings of all checks, or of those named; a check that fails is a finding, too."""
    return {name: carefully(name, CHECKS[name]) for name in checks or CHECKS}
