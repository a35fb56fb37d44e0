"""A network that somebody pruned is taken in place of pruning."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint, digest
from rethink_det.architecture.provenance import versions
from rethink_det.arms import AFTER_CONVERSION, AFTER_PRUNING
from rethink_det.classification.arm_config import classifier_architecture
from rethink_det.convert import convert_checkpoint
from rethink_det.errors import UserError
from rethink_det.layout import ARCHITECTURE, CONFIG, INHERITED
from rethink_det.report.run_result import RunResult
from rethink_det.report.spent import Spent
from rethink_det.study import ledger
from rethink_det.study.nodes import GivenPruned
from rethink_det.study.stages.stage import Stage
from rethink_det.training.written_config import write_config


@dataclass(frozen=True)
class TakePruned(Stage):
    """A pruned network from a file, of this package or of what ``convert`` reads."""

    run: GivenPruned
    looks_at_data = False

    @property
    def settings(self) -> Mapping[str, Any]:
        """The file, which of its weights, and whether it was trained since it was pruned."""
        averaged = {'ema': True} if self.run.ema else {}
        return {'pruned': self.run.checkpoint, 'tuned': self.run.tuned, **averaged}

    @property
    def sources(self) -> dict[str, str | None]:
        """The weights in it."""
        return {'pruned': digest(Checkpoint.read(self.run.checkpoint, self.run.ema).weights)}

    def accounts(self, own: Spent) -> dict[str, Any]:
        """What led to its weights and its shape nobody knows."""
        made = ledger.MADE_ELSEWHERE
        return ledger.fields_of(own, made, made + own)

    def do(self, config: Config, folder: Path) -> RunResult:
        """Make it self-describing; what it took to find its shape nobody knows."""
        write_config(config, folder / CONFIG)
        given = given_pruned(config, self.run.checkpoint, self.run.tuned, self.run.ema)
        for line in given.provenance.inferred or ():
            print(f'inferred: {line}')
        given.write(folder / INHERITED)
        architecture = PrunedArchitecture.load(given)
        architecture.save(folder / ARCHITECTURE)
        return self.result(
            **asdict(architecture.cost()),
            epochs=0,
            earlier_epochs=(None,),
            spent=ledger.NOTHING,
            checkpoint=INHERITED,
            digest=digest(given.state_dict),
            architecture=ARCHITECTURE,
        )


def given_pruned(config: Config, path: str, tuned: bool, ema: bool = False) -> Checkpoint:
    """A pruned network as this package has its own.

    Args:
        config: The recipe of the network that it was pruned from.
        path: Its file.
        tuned: Whether it is said to have been trained since.
        ema: Take the weights that were averaged over its training.

    Raises:
        UserError: The file is missing, damaged, without averaged weights, or of another network
            than the config's; it is not pruned; or it says that it was (not) trained since.
    """
    given = Checkpoint.read(path, ema)
    base = classifier_architecture(config)
    if given.architecture is None:
        given = convert_checkpoint(path, base, ema=ema).checkpoint()
    _check(given, base, path)
    _check_tuned(given, path, tuned)
    step = AFTER_CONVERSION if tuned else AFTER_PRUNING
    network = PrunedArchitecture.load(given).network_with(given.weights)
    own = replace(given.provenance, arm=step, versions=versions(), parent=given.as_parent())
    return replace(given, state_dict=network.state_dict(), provenance=own, others={})


def _check(given: Checkpoint, base: PrunedArchitecture, path: str) -> None:
    """Refuse a network that is whole, or cut from another than the config trains."""
    architecture = PrunedArchitecture.load(given)
    if architecture.base != base.base:
        different = '; '.join(architecture.base.diff(base.base))
        raise UserError(
            f'{path} was not cut from the network of the config: {different}. Give the config by '
            'which its unpruned parent is trained.'
        )
    if architecture == architecture.base:
        raise UserError(f'{path} is a whole network: nothing of it was pruned.')


def _check_tuned(given: Checkpoint, path: str, tuned: bool) -> None:
    arm = given.provenance.arm
    if tuned and arm == AFTER_PRUNING:
        raise UserError(
            f'{path} says that it was not trained since it was pruned: say untuned=True, --untuned '
            'in a command, and it is fine-tuned first.'
        )
    if not tuned and arm not in (None, AFTER_PRUNING, AFTER_CONVERSION):
        raise UserError(f'{path} says that it is of arm {arm}: it is tuned, so leave out untuned.')
