"""What the parts of this package reach on a GPU: one table, each line beside its peer."""

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from rich.console import Console
from rich.table import Table

from rethink_det.benchmark.gpu_parts import (
    Row,
    detector_step,
    evaluation,
    one_run,
    packed,
    pruning,
    together,
)
from rethink_det.benchmark.workload import Workload
from rethink_det.defaults import GPU_ROUNDS, TIMED_ON_GPU
from rethink_det.errors import UserError, in_one_line
from rethink_det.training.device import current_device

LONGEST = 30
"""Seconds that a part should take at most; one that takes more is told."""
IMAGES, BATCH = 5120, 128


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        network: Name or file of an architecture, of the trainings and the evaluation.
        pruned: The same of what is pruned.
        images: Of an epoch.
        batch: Of a step.
        runs: Side by side.
        rounds: Pairs of timings.
        pictures: For the detector.
        looked_at: Images that the pruner looks at.
        real: Whether the detector has the size that detectors have.
    """

    network: str = TIMED_ON_GPU
    pruned: str = 'resnet50'
    images: int = IMAGES
    batch: int = BATCH
    runs: int = 8
    rounds: int = GPU_ROUNDS
    pictures: int = 16
    looked_at: int = 64
    real: bool = True

    @classmethod
    def tiny(cls, network: str, images: int, batch: int, rounds: int) -> 'Sizes':
        """Those with which a CPU shows that all of it runs."""
        return cls(network, network, images, batch, 2, rounds, 1, batch, real=False)


def card() -> str:
    """What it runs on, and by what."""
    device = current_device()
    if device.type != 'cuda':
        return f'no card: the CPU, {torch.get_num_threads()} threads, torch {torch.__version__}'
    return (
        f'{torch.cuda.get_device_name(device)}, torch {torch.__version__}, '
        f'CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}'
    )


def check_device(name: str | None) -> None:
    """Refuse to measure where there is no card, unless a CPU was asked for; and the reverse.

    Args:
        name: As given, ``'cpu'``, ``'cuda'`` or None.

    Raises:
        UserError: There is no card, or there is one and the CPU was asked for.
    """
    there = current_device().type == 'cuda'
    if name not in (None, 'cpu', 'cuda'):
        raise UserError(f'--device {name}: benchmark gpu knows cpu and cuda.')
    if name == 'cpu' and there:
        raise UserError(
            '--device cpu: there is a GPU here, which MMEngine takes; hide it by '
            'CUDA_VISIBLE_DEVICES= in front of the command.'
        )
    if name != 'cpu' and not there:
        raise UserError(
            'There is no CUDA device here; --device cpu runs the same at sizes that tell nothing.'
        )


def table(sizes: Sizes) -> int:
    """Measure all parts and print the table; 1 if a part failed, else 0.

    A part that fails is a line of the table, and the others go on.

    Raises:
        UserError: No round, or an epoch that is none.
    """
    workload = Workload(sizes.network, sizes.images, sizes.batch)
    if sizes.rounds < 1:
        raise UserError(f'There must be at least 1 round of timings, got {sizes.rounds}.')
    rates: dict[str, float] = {}
    parts: dict[str, Callable[[], Sequence[Row]]] = {
        'one run': partial(one_run, workload, sizes.rounds, rates),
        'together': partial(together, workload, sizes.runs, sizes.rounds, rates),
        'packed': partial(packed, workload, sizes.runs, sizes.rounds, rates),
        'detector': partial(detector_step, sizes.pictures, sizes.rounds, sizes.real),
        'pruning': partial(pruning, sizes.pruned, sizes.looked_at),
        'evaluation': partial(evaluation, workload, sizes.rounds),
    }
    shown = Table('what', 'how fast', 'beside', 'ratio', title=card())
    failed = 0
    for name, part in parts.items():
        rows, went = _rows(name, part)
        failed += not went
        for row in rows:
            shown.add_row(*row)
    Console(width=118).print(shown)
    print(
        f'Medians of {sizes.rounds} rounds in turns; {sizes.network}, batch {sizes.batch}, noise.'
    )
    return int(failed > 0)


def _rows(name: str, part: Callable[[], Sequence[Row]]) -> tuple[list[Row], bool]:
    """What a part found, said as soon as it is known: whoever stops it has what came before."""
    started = time.monotonic()
    try:
        rows, went = [*part()], True
    except Exception as error:  # whatever a driver, a library or a small card says
        if not isinstance(error, UserError):
            traceback.print_exc()
        rows, went = [Row(name, f'failed: {in_one_line(error)}'[:90])], False
    seconds = time.monotonic() - started
    late = f', more than {LONGEST}' if seconds > LONGEST else ''
    for row in rows:
        print(f'{" | ".join(row)}', flush=True)
    print(f'  ({name}: {seconds:.0f} s{late})', flush=True)
    return rows, went
