"""What is narrower in a pruned module than in the whole one: what plain code says of it."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from rethink_det.errors import UserError

Layers = dict[str, dict[str, Any]]
"""By the names of modules: shapes of their tensors, and numbers that they say of themselves."""

_OF_TORCH = {*vars(nn.Module())}


def narrowed_layers(
    whole: nn.Module, own: nn.Module, where: str, same_class: bool = True
) -> Layers:
    """The layers of a pruned module that are not as in the whole one, and how they are.

    Args:
        whole: As its library builds it.
        own: Pruned.
        where: What messages call it, ``'model.backbone'``.
        same_class: Whether it is of the same class as the whole one, as its layers always are.

    Raises:
        UserError: It has lost or changed modules, not only channels; names the first.
    """
    ours = dict(own.named_modules())
    found: Layers = {}
    for path, module in whole.named_modules():
        pruned = ours.pop(path, None)
        if not path and not same_class:
            continue
        if pruned is None or type(pruned) is not type(module):
            raise UserError(_other(where, path, module, pruned))
        changed = {**changed_shapes(module, pruned), **changed_numbers(module, pruned)}
        found.update({path: changed} if changed else {})
    for path, module in ours.items():
        raise UserError(_other(where, path, None, module))
    return found


def _other(where: str, path: str, whole: nn.Module | None, own: nn.Module | None) -> str:
    is_now, was = ('nothing' if one is None else f'a {type(one).__name__}' for one in (own, whole))
    return (
        f'{where}: {path or "the module"} is {is_now} in the place of {was}, which plain code '
        'cannot say: blocks are removed, or layers select their inputs. Take --onnx.'
    )


def changed_shapes(whole: nn.Module, own: nn.Module) -> dict[str, tuple[int, ...]]:
    """Shapes of a module's own tensors that are others than in the whole one, or only here."""
    before = _tensors(whole)
    return {
        name: tuple(tensor.shape)
        for name, tensor in _tensors(own).items()
        if name not in before or before[name].shape != tensor.shape
    }


def changed_numbers(whole: nn.Module, own: nn.Module) -> dict[str, Any]:
    """What a module says of itself in plain values, and the whole one says otherwise."""
    before = _plain(whole)
    return {k: v for k, v in _plain(own).items() if k in before and v != before[k]}


def _tensors(module: nn.Module) -> Mapping[str, Tensor]:
    both = {**module._parameters, **module._buffers}
    return {name: tensor for name, tensor in both.items() if tensor is not None}


def _plain(module: nn.Module) -> dict[str, Any]:
    return {k: v for k, v in vars(module).items() if k not in _OF_TORCH and _is_plain(v)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))
