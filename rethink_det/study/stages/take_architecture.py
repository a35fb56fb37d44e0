"""A published architecture is taken in place of pruning."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.layout import ARCHITECTURE
from rethink_det.report.run_result import RunResult
from rethink_det.report.spent import Spent
from rethink_det.study import ledger
from rethink_det.study.nodes import PublishedArchitecture
from rethink_det.study.stages.stage import Stage


@dataclass(frozen=True)
class TakeArchitecture(Stage):
    """A shape, and no weights."""

    run: PublishedArchitecture
    looks_at_data = False

    @property
    def settings(self) -> Mapping[str, Any]:
        """Its name, or its file."""
        return {'architecture': self.run.architecture}

    @property
    def sources(self) -> dict[str, str | None]:
        """What stands there."""
        return {'architecture': PrunedArchitecture.load(self.run.architecture).digest}

    def accounts(self, own: Spent) -> dict[str, Any]:
        """Whoever takes the shape owes nothing for it."""
        return ledger.fields_of(own, ledger.NOTHING, ledger.NOTHING)

    def do(self, config: Config, folder: Path) -> RunResult:
        """Write it down."""
        architecture = PrunedArchitecture.load(self.run.architecture)
        architecture.save(folder / ARCHITECTURE)
        return self.result(
            **asdict(architecture.cost()),
            epochs=0,
            earlier_epochs=(),
            spent=ledger.NOTHING,
            digest=architecture.digest,
            architecture=ARCHITECTURE,
        )
