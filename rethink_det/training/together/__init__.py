"""Several runs of one shape, trained as one network in one process."""

from rethink_det.training.together.joined import joined
from rethink_det.training.together.meeting import Meeting
from rethink_det.training.together.place import Place
from rethink_det.training.together.side_by_side import Losses, Step, step_together

__all__ = ['Losses', 'Meeting', 'Place', 'Step', 'joined', 'step_together']
