"""A detector's backbone laid out and compiled for a GPU."""

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from rethink_det.errors import UserError
from rethink_det.registry import HOOKS
from rethink_det.training.memory_format import lay_channels_last
from rethink_det.training.model import detectors_of, model_of


@HOOKS.register_module()
class FastBackboneHook(Hook):
    """Let the backbone of a detector compute channels last, compiled, or both.

    Other kernels round otherwise: results are those of another, equally good run, so nothing of
    this is a default. Checkpoints are the same as without. In bfloat16 a detector trains by
    ``optim_wrapper.type='rethink_det.BFloat16OptimWrapper'``.

    Args:
        channels_last: Let weights and pictures lie in this memory format.
        compile: Options of :func:`torch.compile` on a CUDA device, or True for none; pictures of
            many sizes want ``dict(dynamic=True)``. Elsewhere it is left out, with a message.

    Raises:
        UserError: Neither is asked for, or the model has no backbone.
    """

    def __init__(self, channels_last: bool = True, compile: bool | Mapping = False) -> None:
        if not isinstance(channels_last, bool) or not isinstance(compile, (bool, Mapping)):
            raise UserError(
                'FastBackboneHook: channels_last is True or False, compile too, or a dict of '
                f'options; got {channels_last!r} and {compile!r}.'
            )
        if not channels_last and compile is False:
            raise UserError('FastBackboneHook: neither channels_last nor compile is asked for.')
        self.channels_last, self.compile = channels_last, compile
        self._handles: list[RemovableHandle] = []

    def before_train(self, runner: Runner) -> None:
        """Lay out and compile, when all weights are in."""
        for handle in self._handles:
            handle.remove()
        self._handles = []
        for backbone in _backbones(model_of(runner)):
            if self.channels_last:
                lay_channels_last(backbone, runner.optim_wrapper.optimizer)
                self._handles.append(backbone.register_forward_pre_hook(_pictures_last))
            if self.compile is not False:
                self._compile(backbone, runner)

    def _compile(self, backbone: nn.Module, runner: Runner) -> None:
        device = next(backbone.parameters()).device
        if device.type != 'cuda':
            runner.logger.warning(
                f'FastBackboneHook: compile is left out, this run trains on the {device.type}.'
            )
            return
        backbone.compile(**(self.compile if isinstance(self.compile, Mapping) else {}))


def _backbones(model: nn.Module) -> list[nn.Module]:
    found = [getattr(one, 'backbone', None) for one in detectors_of(model).values()]
    backbones = [one for one in found if isinstance(one, nn.Module)]
    if not backbones:
        raise UserError(f'FastBackboneHook: {type(model).__name__} has no backbone.')
    return backbones


def _pictures_last(backbone: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        one.contiguous(memory_format=torch.channels_last)
        if isinstance(one, Tensor) and one.ndim == 4
        else one
        for one in inputs
    )
