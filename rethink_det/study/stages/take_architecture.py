"""A published architecture is taken in place of pruning."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.layout import ARCHITECTURE
from rethink_det.report.run_result import RunResult
from rethink_det.study.graph import PublishedArchitecture
from rethink_det.study.stages.stage import Stage


@dataclass(frozen=True)
class TakeArchitecture(Stage):
    """A shape, and no weights."""

    run: PublishedArchitecture

    @property
    def settings(self) -> Mapping[str, Any]:
        """Its name, or its file."""
        return {'architecture': self.run.architecture}

    @property
    def sources(self) -> dict[str, str | None]:
        """What stands there."""
        return {'architecture': PrunedArchitecture.load(self.run.architecture).digest}

    def do(self, config: Config, folder: Path) -> RunResult:
        """Write it down."""
        architecture = PrunedArchitecture.load(self.run.architecture)
        architecture.save(folder / ARCHITECTURE)
        return self.result(
            **asdict(architecture.cost()),
            epochs=0,
            train_macs=0,
            total_train_macs=0,
            shape_train_macs=0,
            digest=architecture.digest,
            architecture=ARCHITECTURE,
        )
