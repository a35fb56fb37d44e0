"""An exported network on the test data of a config, judged as a checkpoint is."""

from collections.abc import Mapping
from os import PathLike
from typing import Any

import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import Tensor

from rethink_det.classification.arm_config import is_classifier
from rethink_det.classification.prediction import PictureClassifier
from rethink_det.detection.prediction import GraphDetector
from rethink_det.detection.prediction.answered import answered, without_geometry
from rethink_det.errors import UserError
from rethink_det.prediction.exported import Exported, load_exported
from rethink_det.registry import MODELS
from rethink_det.training.building import telling_what_is_built
from rethink_det.training.launch import prepare
from rethink_det.training.model import model_of
from rethink_det.training.workers import ending_workers


@MODELS.register_module()
class ExportedModel(BaseModel):
    """An exported network as MMEngine's loops ask one.

    Attributes:
        network: Ready for pictures. It is set once the model is built: what is in a config is
            written down.
    """

    network: Exported

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """Not asked: a file is not trained."""
        raise NotImplementedError('an exported network is only tested')

    def test_step(self, data: Mapping) -> list:
        """Predictions of a batch, as the model that was exported gives them."""
        if isinstance(self.network, PictureClassifier):
            return [_scored(self.network, data)]
        return answered(self.network, data)


def evaluate_exported(config: Config, network: Exported | str | PathLike) -> dict[str, float]:
    """Evaluate an exported network on the config's test data.

    Each picture is made ready as the file says it; of the config's test pipeline what reads
    pictures and ground truth counts, not to which size it brings them.

    Args:
        config: With ``test_dataloader`` and ``test_evaluator``.
        network: The file, or what was loaded from it.

    Raises:
        UserError: The config has no test data, it and the file are of different kinds, or as of
            :func:`.exported.load_exported`.
    """
    if config.get('test_dataloader') is None or config.get('test_evaluator') is None:
        raise UserError('The config has no test_dataloader and test_evaluator.')
    if isinstance(network, (str, PathLike)):
        network = load_exported(network, config)
    if isinstance(network, PictureClassifier) is not is_classifier(config):
        kinds = ('a classifier', 'a detector')
        one, other = kinds if isinstance(network, PictureClassifier) else kinds[::-1]
        raise UserError(f'The exported file is {one}, and the config is of {other}.')
    config = prepare(without_geometry(config) if isinstance(network, GraphDetector) else config)
    config.model, config.load_from = {'type': 'rethink_det.ExportedModel'}, None
    with telling_what_is_built():
        runner = Runner.from_cfg(config)
        model_of(runner).network = network
        with ending_workers(runner):
            return runner.test()


def _scored(network: PictureClassifier, data: Mapping) -> dict[str, Tensor]:
    images = data['inputs']
    if tuple(images.shape[1:]) != network.reads.shape:
        size = 'x'.join(map(str, images.shape[1:]))
        own = 'x'.join(map(str, network.reads.shape))
        raise UserError(f'The test data are images of {size}, and the file is for {own}.')
    scores = torch.cat([network.scores(image[None]) for image in images])
    return {'scores': scores, 'gt_label': data['gt_label']}
