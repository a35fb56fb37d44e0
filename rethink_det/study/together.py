"""Which runs of a study are computed together: as one network, in one process.

A study says it of all its trainings or of none, as those of one comparison must be computed alike:
``train_cfg.together`` of their configs tells, and is part of what they are. With whom a run is
computed is not: that follows from what is ready when, and from how many fit into memory.
"""

import contextlib
import io
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.arms import CLASSIFICATION
from rethink_det.bounds import check_count
from rethink_det.classification.arm_config import classifier_architecture
from rethink_det.defaults import AUTO, MEMBERS
from rethink_det.errors import UserError
from rethink_det.files import plain
from rethink_det.layout import RESULT, RESULTS
from rethink_det.report.results import StudyResults
from rethink_det.report.run_result import COMPLETED, RunResult
from rethink_det.report.training_facts import TOGETHER
from rethink_det.study import ledger
from rethink_det.study.config import Study
from rethink_det.study.nodes import (
    ClassifierPruning,
    ClassifierTraining,
    GivenClassifier,
    GivenPruned,
    PublishedArchitecture,
    Run,
)
from rethink_det.study.recipe import Recipe
from rethink_det.study.run import find_folder
from rethink_det.study.stages import stage_of
from rethink_det.study.stages.train_classifier import TrainClassifier
from rethink_det.training.together.memory import free_bytes, member_bytes, most_members
from rethink_det.training.together.place import MOST, Place

LEADS_ON = ClassifierPruning, PublishedArchitecture, GivenPruned, GivenClassifier
"""What is over soon, and after which trainings become ready."""


def most_together(said: str, work_dir: Path) -> int:
    """How many runs of a study are computed together at most; 1: each alone.

    Args:
        said: A number, or ``'auto'``: as the finished runs in the study's folder were computed; if
            there are none, alone on a CPU, together on a GPU.
        work_dir: Folder of the study, which need not be there.

    Raises:
        UserError: It is neither, or not from 1 to :data:`MOST`.
    """
    if said != AUTO:
        if not said.isdigit():
            raise UserError(f'--together must be {AUTO} or a number, got {said!r}.')
        most = check_count('--together', int(said))
        if most > MOST:
            raise UserError(f'--together must be at most {MOST}, got {most}.')
        return most
    before = _computed_before(work_dir)
    together = torch.cuda.is_available() if before is None else before
    return MEMBERS if together else 1


def _computed_before(work_dir: Path) -> bool | None:
    """Whether finished trainings of classifiers were computed together; None if there are none."""
    if not (work_dir / RESULTS).is_file():
        return None
    try:
        runs = StudyResults.read(work_dir).runs
    except UserError:
        return None
    told = [run.training for run in runs if run.stage == CLASSIFICATION and run.status == COMPLETED]
    known = [facts.computed == TOGETHER for facts in told if facts is not None]
    return any(known) if known else None


def computed(study: Study, together: bool) -> Study:
    """The same study, whose trainings of classifiers are computed together, or each alone.

    Args:
        study: Any.
        together: Which of both.
    """
    return replace(study, classification=replace(study.classification, together=together))


def beside_each_other(workers: int) -> int:
    """How many pieces of work share the memory of a device, of so many that go on at a time.

    Args:
        workers: How many; as many as there are where each is given a machine of its own.
    """
    devices = max(1, torch.cuda.device_count())
    return 1 if workers == sys.maxsize else -(-workers // devices)


@dataclass(frozen=True)
class Kind:
    """What runs must share to be computed by one step.

    Attributes:
        name: The same of all of them.
        most: How many fit into memory.
    """

    name: str
    most: int


@dataclass
class Groups:
    """Puts runs that are ready into groups.

    Attributes:
        root: Folder of the study.
        most: Members of a group at most.
        beside: How many groups may share the memory of a device.
    """

    root: Path
    most: int = 1
    beside: int = 1
    _kinds: dict[str, Kind | None] = field(default_factory=dict)

    def of(
        self, ready: Sequence[Run], results: Mapping[str, RunResult], wait: bool
    ) -> list[list[Run]]:
        """What is to be handed out, in order: single runs, then groups.

        Args:
            ready: Runs whose parents are done.
            results: Of what is done, by key.
            wait: Whether a run goes on after which more may be ready: then only full groups.
        """
        single: list[list[Run]] = []
        alike: dict[str, list[Run]] = {}
        for run in ready:
            kind = self._kind(run, results)
            if kind is None:
                single.append([run])
            else:
                alike.setdefault(kind.name, []).append(run)
        wait = wait or any(isinstance(run, LEADS_ON) for (run,) in single)
        found = single
        for runs in alike.values():
            kind = self._kinds[runs[0].key]
            most = min(self.most, kind.most if kind else 1)
            parts = [runs[start : start + most] for start in range(0, len(runs), most)]
            found += [part for part in parts if len(part) == most or not wait]
        return found

    def _kind(self, run: Run, results: Mapping[str, RunResult]) -> Kind | None:
        """What a run shares with others; None of one that is computed alone."""
        if self.most == 1 or not isinstance(run, ClassifierTraining) or not run.together:
            return None
        if run.key not in self._kinds:
            self._kinds[run.key] = self._found(run, results)
        return self._kinds[run.key]

    def _found(self, run: ClassifierTraining, results: Mapping[str, RunResult]) -> Kind | None:
        stage = stage_of(run, results)
        assert isinstance(stage, TrainClassifier)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                config = stage.config()
                if not config.train_cfg.get('together'):
                    return None
                folder, _ = find_folder(stage, Recipe.of(stage, config), self.root)
                if (folder / RESULT).is_file():
                    return None  # it is done, or will be found to have been changed since
                return self._kind_of(_alike(config, stage, Place.read(folder)), config)
        except (UserError, OSError):  # the run itself will tell
            return None

    def _kind_of(self, name: str, config: Config) -> Kind:
        known = {one.name: one for one in self._kinds.values() if one is not None}
        if name in known:
            return known[name]
        each = member_bytes(config, ledger.training_images(config))
        return Kind(name, most_members(each, free_bytes() // self.beside))


def _alike(config: Config, stage: TrainClassifier, place: Place | None) -> str:
    """All that members of a group share: shape, batches and how long they train.

    Learning rates, hooks, weights and masks are each one's own. One that was begun goes on among
    as many as before.
    """
    architecture: PrunedArchitecture = classifier_architecture(config)
    loader = config.train_dataloader
    shared: dict[str, Any] = {
        'shape': replace(architecture.shape(), masks={}).digest,
        'model': {key: one for key, one in config.model.items() if key != 'backbone'},
        'loader': {key: loader.get(key) for key in ('batch_size', 'drop_last', 'dataset')},
        'loop': config.train_cfg,
        'wrapper': config.optim_wrapper.get('type'),
        'trials': len(stage.rates),
        'size': place and place.size,
    }
    return json.dumps(plain(shared), sort_keys=True)
