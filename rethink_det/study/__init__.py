"""Studies: arms x seeds over one parent, run as a graph; and one of its steps by itself."""

from rethink_det.study.config import Study
from rethink_det.study.dry_run import dry_run
from rethink_det.study.execute import execute_study
from rethink_det.study.graph import runs_of
from rethink_det.study.trained_networks import TrainedNetwork, trained_network
from rethink_det.study.with_backbone import with_backbone

__all__ = [
    'Study',
    'TrainedNetwork',
    'dry_run',
    'execute_study',
    'runs_of',
    'trained_network',
    'with_backbone',
]
