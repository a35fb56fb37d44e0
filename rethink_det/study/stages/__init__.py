"""What the runs of a study do: a class a kind of run, with its parents' results by name."""

from collections.abc import Mapping

from rethink_det.report.run_result import RunResult
from rethink_det.study import graph
from rethink_det.study.stages.adopt_classifier import AdoptClassifier
from rethink_det.study.stages.prune_classifier import PruneClassifier
from rethink_det.study.stages.prune_detector import PruneDetector
from rethink_det.study.stages.stage import Stage
from rethink_det.study.stages.take_architecture import TakeArchitecture
from rethink_det.study.stages.take_pruned import TakePruned
from rethink_det.study.stages.train_classifier import TrainClassifier
from rethink_det.study.stages.train_detector import TrainDetector
from rethink_det.study.stages.train_segmenter import TrainSegmenter

STAGES: Mapping[type[graph.Run], type[Stage]] = {
    graph.ClassifierTraining: TrainClassifier,
    graph.GivenClassifier: AdoptClassifier,
    graph.ClassifierPruning: PruneClassifier,
    graph.PublishedArchitecture: TakeArchitecture,
    graph.GivenPruned: TakePruned,
    graph.DetectorTraining: TrainDetector,
    graph.DetectorPruning: PruneDetector,
    graph.SegmenterTraining: TrainSegmenter,
}
"""Who does what the graph plans."""


def stage_of(run: graph.Run, results: Mapping[str, RunResult]) -> Stage:
    """What does a run.

    Args:
        run: Of the graph.
        results: Those of its parents at least, by key.
    """
    parents = {name: results[parent.key] for name, parent in run.parents.items()}
    return STAGES[type(run)](run, **parents)
