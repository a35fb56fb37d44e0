"""Losses that reach the message hub without anybody waiting for a GPU."""

from collections.abc import Mapping
from typing import Any

from mmengine.hooks import RuntimeInfoHook
from mmengine.runner import Runner

from rethink_det.registry import HOOKS
from rethink_det.training.lazy_history import record


@HOOKS.register_module()
class LazyLossesHook(RuntimeInfoHook):
    """MMEngine's ``RuntimeInfoHook``, which writes down every step's losses, as tensors.

    MMEngine's own reads each of them at once, for which the step has to be done on the GPU before
    the next one can be prepared. This one leaves it to whoever looks first: the log, a checkpoint.
    What they see is the same.

    Attributes:
        only_looks: That it changes nothing that a step reads, so steps may be recorded beside it.
    """

    only_looks = True

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> None:
        """Write down the losses of a step."""
        for name, value in (outputs or {}).items():
            record(runner.message_hub, f'train/{name}', value)
