"""A config's training images as a network reads them, for methods that prune by data."""

from collections.abc import Iterator, Sequence
from itertools import count

import torch
from mmengine.config import Config
from mmengine.runner import Runner
from torch import Tensor

from rethink_det.errors import UserError
from rethink_det.registered import build, in_full, scope_of
from rethink_det.registry import MODELS
from rethink_det.training.generators import seeded


class TrainingBatches:
    """The training set of a config in batches, normalised; what the preprocessor augments is not.

    A data set that crops or flips by itself, as ImageNet's and those of detectors do, gives its
    crops, the same each time. Nothing is read before the first iteration; every iteration gives
    the same batches.

    Args:
        config: Of a classifier or a detector, with ``train_dataloader`` and
            ``model.data_preprocessor``.

    Raises:
        UserError: When iterated, the data set cannot be built.
    """

    def __init__(self, config: Config) -> None:
        self.config = config

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor | Sequence]]:
        """Pairs of images ``(N, C, H, W)`` and labels ``(N,)``, or N data samples of a detector.

        Images of a batch that differ in size are padded, as they are in training.
        """
        if self.config.get('train_dataloader') is None:
            raise UserError('The config has no train_dataloader, and the method looks at images.')
        seed = (self.config.get('randomness') or {}).get('seed') or 0
        with scope_of(self.config):
            # Unaugmented images do not need the workers, and a broken-off loop leaves none behind.
            settings = {**self.config.train_dataloader, 'num_workers': 0}
            settings.pop('persistent_workers', None)
            settings.pop('prefetch_factor', None)
            loader = Runner.build_dataloader(in_full(settings), seed=seed)
            settings = self.config.model.get('data_preprocessor')
            preprocess = build(MODELS, settings or {'type': 'mmengine.BaseDataPreprocessor'})
        batches = iter(loader)
        for number in count():
            with seeded(seed + number), torch.no_grad():
                batch = next(batches, None)
                if batch is None:
                    return
                data = preprocess(batch, training=False)
            yield data['inputs'], data['gt_label' if 'gt_label' in data else 'data_samples']
