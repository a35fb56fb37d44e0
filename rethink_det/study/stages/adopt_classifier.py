"""A given parent is taken instead of training one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint, digest
from rethink_det.architecture.fitting import load_exactly
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.architecture.provenance import versions
from rethink_det.classification.arm_config import classifier_architecture, with_architecture
from rethink_det.layout import ARCHITECTURE, CONFIG, PARENT
from rethink_det.report.run_result import RunResult
from rethink_det.study import ledger
from rethink_det.study.attempts import Attempts
from rethink_det.study.given_parents import described_config, read_parent
from rethink_det.study.guessing import check_beats_guessing
from rethink_det.study.kept_replicates import keep_replicates, kept_replicates
from rethink_det.study.nodes import GivenClassifier
from rethink_det.study.stages.stage import Stage
from rethink_det.training.arm_weights import check_given_parent
from rethink_det.training.launch import evaluate
from rethink_det.training.written_config import write_config


@dataclass(frozen=True)
class AdoptClassifier(Stage):
    """A trained network from a file: checked, made self-describing, evaluated.

    Attributes:
        pruned: Of one that was pruned elsewhere: that, as it was taken in.
    """

    run: GivenClassifier
    pruned: RunResult | None = None
    evaluates = True

    def adapted(self, config: Config) -> Config:
        """The parent's, with the shape of the network."""
        if self.pruned is None:
            return super().adapted(config)
        return with_architecture(config, self.pruned.architecture_path)

    @property
    def settings(self) -> dict[str, Any]:
        """The file, how long it was trained and what it is where that is told."""
        run = self.run
        known: dict[str, Any] = {'parent_epochs': run.trained_epochs, 'base': run.base}
        known['evaluated'] = None if run.evaluated else False
        known['ema'] = run.ema or None
        told = {key: value for key, value in known.items() if value is not None}
        return {'parent': run.checkpoint, **told}

    @property
    def sources(self) -> dict[str, str | None]:
        """The weights in it."""
        return {'parent': digest(Checkpoint.read(self.run.checkpoint, self.run.ema).weights)}

    def base_config(self) -> Config:
        """The config that the study names; without one, the network that the file says it is."""
        return super().base_config() if self.run.config else described_config(self._given(None))

    def _given(self, config: Config | None) -> Checkpoint:
        return read_parent(self.run.checkpoint, self.run.base, config, self.run.ema)

    def do(self, config: Config, folder: Path) -> RunResult:
        """Copy and, where that is asked for, evaluate.

        What its training took is known if its epochs are.
        """
        write_config(config, folder / CONFIG)
        architecture = classifier_architecture(config)
        adopted = self._adopted(config, architecture)
        adopted.write(folder / PARENT)
        architecture.save(folder / ARCHITECTURE)
        cost, attempt = architecture.cost(), Attempts()
        took = attempt('total_train_macs', lambda: self._took(config, cost.macs))
        metrics = self._metrics(config, folder, attempt)
        replicates = kept_replicates(folder, attempt) if metrics else {}
        self._check(metrics, replicates, architecture, adopted.provenance.inferred or ())
        own = ledger.NOTHING
        if metrics:
            tested = attempt('evaluation', lambda: ledger.of_test(config, cost.macs))
            own = replace(own, evaluation=tested)
        result = self.result(
            metrics=metrics,
            **replicates,
            **asdict(cost),
            epochs=self.run.trained_epochs or 0,
            earlier_epochs=(None,) if self.run.trained_epochs is None else (),
            spent=own,
            checkpoint=PARENT,
            digest=digest(adopted.state_dict),
            architecture=ARCHITECTURE,
            unmeasured=attempt.unmeasured,
        )
        parents = ledger.of_given(took, self.run.trained_epochs)
        known = ledger.fields_of(own, parents)
        return replace(result, **{**known, 'train_macs': None})

    def _metrics(self, config: Config, folder: Path, attempt: Attempts) -> dict[str, float]:
        """Its score, if it is asked for; where nothing is compared with it, it may lack data."""
        if not self.run.evaluated:
            return {}
        keep_replicates(config)
        if self.run.compared:
            return evaluate(config, folder / PARENT)
        return attempt('metrics', lambda: evaluate(config, folder / PARENT)) or {}

    def _check(
        self,
        metrics: Mapping[str, float],
        replicates: Mapping[str, Any],
        network: PrunedArchitecture,
        inferred: Sequence[str],
    ) -> None:
        """Refuse a network that others are to be compared with, and that only guesses."""
        top1, images = metrics.get('accuracy/top1'), replicates.get('test_images')
        classes = network.head.get('num_classes')
        if self.run.compared and top1 is not None and images and classes:
            check_beats_guessing(self.run.checkpoint, top1, images, classes, inferred)

    def _took(self, config: Config, macs: int) -> float | None:
        """Its training elsewhere, on as many images as the config trains on."""
        epochs = self.run.trained_epochs
        return None if epochs is None else ledger.of_an_epoch(config, macs) * epochs

    def _adopted(self, config: Config, architecture: PrunedArchitecture) -> Checkpoint:
        """The given checkpoint, with every tensor of the network and nothing else."""
        if self.pruned is None:
            given = self._given(config if self.run.config else None)
            unknown = check_given_parent(given)
            print(unknown or '', end='\n' * bool(unknown))
        else:
            given = Checkpoint.read(self.pruned.checkpoint_path)
        network = architecture.build_network()
        load_exactly(network, given.weights)
        return Checkpoint(
            state_dict=network.state_dict(),
            architecture=architecture.to_dict(),
            provenance=replace(
                given.provenance, arm=self.run.arm, versions=versions(), parent=given.as_parent()
            ),
            input_convention=InputConvention.of_settings(config.model.get('data_preprocessor')),
        )
