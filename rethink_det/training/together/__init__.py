"""Several runs of one shape, trained as one network in one process."""

from rethink_det.training.together.alone import why_alone
from rethink_det.training.together.group import Ended, run_together
from rethink_det.training.together.joined import joined
from rethink_det.training.together.meeting import Meeting, attended_here
from rethink_det.training.together.place import Place
from rethink_det.training.together.side_by_side import Losses, Step, step_together

__all__ = [
    'Ended',
    'Losses',
    'Meeting',
    'Place',
    'Step',
    'attended_here',
    'joined',
    'why_alone',
    'run_together',
    'step_together',
]
