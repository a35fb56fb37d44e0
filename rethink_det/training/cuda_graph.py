"""Steps recorded as CUDA graphs: one launch for a step's thousand kernels.

Source: https://pytorch.org/docs/stable/notes/cuda.html#cuda-graphs (whole-network capture).
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from rethink_det.errors import in_one_line
from rethink_det.training.static_step import NotRecordedError, Outputs, Recording, Step


class CudaRecorder:
    """Records steps on a GPU.

    Random numbers of the device come out as without a recording: torch registers its default
    generator with every graph, and a graph draws on from that generator's state at each replay.

    Args:
        device: The GPU.
    """

    def __init__(self, device: torch.device) -> None:
        self._device, self._stream = device, torch.cuda.Stream(device)
        # Graphs that never run at the same time and copy nothing from each other can share it.
        self._pool = torch.cuda.graph_pool_handle()
        self._draws_on_cpu = False

    def rehearse(self, step: Step) -> Outputs:
        """Do a step beside the default stream, where libraries may set up what a graph needs."""
        before = _cpu_generators()
        with self._beside():
            outputs = step()
        self._draws_on_cpu |= before != _cpu_generators()
        return outputs

    def record(self, step: Step) -> Recording:
        """Capture a step.

        Raises:
            NotRecordedError: It waits for the GPU, draws on the CPU, or returns other than tensors.
        """
        if self._draws_on_cpu:
            raise NotRecordedError('the step draws random numbers on the CPU')
        graph = torch.cuda.CUDAGraph()
        with self._beside(), _generator_kept(self._device):
            try:
                # Other threads, such as those that load pictures, may go on meanwhile.
                with torch.cuda.graph(graph, self._pool, capture_error_mode='thread_local'):
                    outputs = step()
            except RuntimeError as error:
                raise NotRecordedError(f'the step cannot be captured: {_brief(error)}') from None
        return _Graph(graph, checked(outputs))

    @contextmanager
    def _beside(self) -> Iterator[None]:
        current = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            yield
        current.wait_stream(self._stream)


class _Graph:
    """A captured step."""

    def __init__(self, graph: torch.cuda.CUDAGraph, outputs: Outputs) -> None:
        self._graph, self.outputs = graph, outputs

    def replay(self) -> None:
        self._graph.replay()


def checked(outputs: Outputs) -> Outputs:
    """What a recorded step returns, which must be computed anew each time.

    Raises:
        NotRecordedError: A value is no tensor, so it would be that of the first step.
    """
    for name, value in outputs.items():
        if not isinstance(value, Tensor):
            raise NotRecordedError(f'the step returns {name}={value!r}, which is no tensor')
    return outputs


@contextmanager
def _generator_kept(device: torch.device) -> Iterator[None]:
    """A capture that fails leaves the generator unusable: it goes on from a copy then."""
    generator = torch.cuda.default_generators[device.index or 0]
    copy = generator.clone_state()
    try:
        yield
    except NotRecordedError:
        generator.graphsafe_set_state(copy)
        raise


def _cpu_generators() -> tuple:
    """The states of the generators whose numbers a recording would repeat."""
    of_numpy = np.random.get_state(legacy=False)
    of_torch = torch.get_rng_state().numpy().tobytes()
    return random.getstate(), str(of_numpy), of_numpy['state']['key'].tobytes(), of_torch


def _brief(error: Exception) -> str:
    return in_one_line(error)[:200]
