"""A given parent is taken instead of training one."""

from dataclasses import asdict, dataclass
from pathlib import Path

from mmengine.config import Config

from rethink_det.architecture.checkpoint import (
    digest,
    load_checkpoint,
    load_exactly,
    save_checkpoint,
    state_dict_of,
)
from rethink_det.architecture.input_convention import KEY, InputConvention
from rethink_det.classification.arm_config import architecture_of
from rethink_det.layout import ARCHITECTURE, CONFIG, PARENT
from rethink_det.report.run_result import RunResult
from rethink_det.study.graph import GivenClassifier
from rethink_det.study.stages.stage import Stage
from rethink_det.training.launch import evaluate


@dataclass(frozen=True)
class AdoptClassifier(Stage):
    """A trained network from a file: checked, made self-describing, evaluated."""

    run: GivenClassifier
    evaluates = True

    @property
    def settings(self) -> dict[str, str]:
        """The file."""
        return {'parent': self.run.checkpoint}

    @property
    def sources(self) -> dict[str, str | None]:
        """The weights in it."""
        return {'parent': digest(self._weights())}

    def _weights(self) -> dict:
        return state_dict_of(load_checkpoint(self.run.checkpoint), self.run.checkpoint)

    def do(self, config: Config, folder: Path) -> RunResult:
        """Copy and evaluate; what its training took is unknown."""
        config.dump(folder / CONFIG)
        architecture = architecture_of(config)
        network = architecture.build_network()
        load_exactly(network, self._weights())
        meta = {'architecture': architecture.to_dict(), 'provenance': {'arm': self.run.arm}}
        inputs = InputConvention.of_settings(config.model.get('data_preprocessor'))
        if inputs is not None:
            meta[KEY] = inputs.to_dict()
        state = network.state_dict()
        save_checkpoint({'meta': meta, 'state_dict': state}, folder / PARENT)
        architecture.save(folder / ARCHITECTURE)
        return self.result(
            metrics=evaluate(config, folder / PARENT),
            **asdict(architecture.cost()),
            epochs=0,
            train_macs=None,
            total_train_macs=None,
            checkpoint=PARENT,
            digest=digest(state),
            architecture=ARCHITECTURE,
        )
