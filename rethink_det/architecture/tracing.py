"""Making a model fit to be traced by autograd, and putting it back."""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

CHECKPOINTING = 'with_cp'
"""What mmdet calls the switch of a module that saves memory by computing twice."""


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, module by module; put back afterwards.

    Not by :meth:`~torch.nn.Module.train`, which in mmdet's backbones freezes stages as well.
    """
    modes = [(module, module.training) for module in model.modules()]
    for module, _ in modes:
        module.training = False
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def traceable(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, all gradients on, no checkpointing; put back afterwards.

    Torch-Pruning follows autograd: a frozen stage leaves no trace. Evaluation mode keeps
    the tracing input out of the running statistics.
    """
    frozen = [n for n, p in model.named_parameters() if not p.requires_grad]
    checkpointed = [m for m in model.modules() if getattr(m, CHECKPOINTING, False)]
    # Deaf to Torch-Pruning's own ``eval()``, which would call an mmdet backbone's ``train``.
    vars(model)['eval'] = lambda: model
    for module in checkpointed:
        setattr(module, CHECKPOINTING, False)
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    try:
        with evaluating(model):
            yield
    finally:
        vars(model).pop('eval', None)  # none if this is done within itself
        for module in checkpointed:
            setattr(module, CHECKPOINTING, True)
        parameters = dict(model.named_parameters())
        for name in frozen:
            parameters[name].requires_grad_(False)


@contextmanager
def apart(model: nn.Module) -> Iterator[None]:
    """A model's recurrent layers step by step, and not as one operation of a library."""
    if not any(isinstance(module, nn.RNNBase) for module in model.modules()):
        yield
        return
    backends = torch.backends
    with warnings.catch_warnings(), ExitStack() as stack:
        warnings.filterwarnings('ignore', 'TF32 acceleration')  # of a device that is not there
        stack.enter_context(backends.mkldnn.flags(enabled=False))
        stack.enter_context(backends.cudnn.flags(enabled=False))
        yield


@contextmanager
def no_gradients(model: nn.Module) -> Iterator[None]:
    """No parameter wants a gradient; put back afterwards.

    PyTorch's counter of operations stumbles over a parameter that is a module's input.
    """
    wanting = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in wanting:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in wanting:
            parameter.requires_grad_(True)


@contextmanager
def one_image_will_do(model: nn.Module) -> Iterator[None]:
    """Let a network look at one image to find its shapes, whatever its BatchNorm wants.

    One without running statistics takes those of the batch in evaluation mode too, and one image
    whose feature map is a single pixel has none. Values mean nothing in here.
    """
    without = [m for m in model.modules() if isinstance(m, _BatchNorm) and m.running_mean is None]
    for norm in without:
        like = norm.weight if norm.weight is not None else next(model.parameters())
        norm.running_mean, norm.running_var = (like.new_ones(norm.num_features) for _ in range(2))
    try:
        yield
    finally:
        for norm in without:
            norm.running_mean = norm.running_var = None


@contextmanager
def place_in(model: nn.Module) -> Iterator[list[str]]:
    """A list of the names of the modules that are running, innermost last.

    After an error it ends with the module that failed.
    """
    place: list[str] = []
    handles = []
    for name, module in model.named_modules():
        if name:
            handles.append(module.register_forward_pre_hook(_Enter(place, name)))
            handles.append(module.register_forward_hook(_Leave(place)))
    try:
        yield place
    finally:
        for handle in handles:
            handle.remove()


class _Enter:
    def __init__(self, place: list[str], name: str) -> None:
        self.place, self.name = place, name

    def __call__(self, module: nn.Module, inputs: tuple) -> None:
        self.place.append(self.name)


class _Leave:
    def __init__(self, place: list[str]) -> None:
        self.place = place

    def __call__(self, module: nn.Module, inputs: tuple, output: object) -> None:
        self.place.pop()
