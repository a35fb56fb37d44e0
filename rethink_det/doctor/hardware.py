"""GPUs or CPU threads, and the disk that runs are kept on."""

import os
import shutil
from pathlib import Path

import torch

from rethink_det.doctor.finding import Ability, Finding
from rethink_det.layout import WORK_DIRS
from rethink_det.training.shared_memory import PLACE, free_shared_memory

GB = 1e9
ENOUGH_SHARED = 0.5 * GB
"""Bytes: a few workers with a few photographs each."""
ENOUGH = 10 * GB
"""Bytes: a study of small networks keeps a few hundred megabytes, one of ImageNet a few GB."""


def check_device() -> Finding:
    """What networks train on here."""
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    facts: dict[str, object] = {
        'GPUs': gpus,
        'CPU threads': torch.get_num_threads(),
        'CPUs for this process': _cpus(),
        'CUDA of torch': torch.version.cuda or 'none: a build for CPUs',
    }
    large = 'large studies and COCO detectors (paper/*, detection/*_coco) in reasonable time'
    if not gpus:
        return Finding(facts, (Ability(large, False, _no_gpu_remedy()),))
    for index in range(gpus):
        facts[f'GPU {index}'] = _gpu(index)
    return Finding(facts, (Ability(large, True),))


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def _no_gpu_remedy() -> str:
    small = 'on CPUs run demo or shapes'
    if torch.version.cuda is None:
        return f'{small}; with a GPU, install a CUDA build of torch and torchvision'
    return f'{small}; if there is a GPU, see nvidia-smi (driver) and CUDA_VISIBLE_DEVICES'


def _gpu(index: int) -> dict[str, object]:
    properties = torch.cuda.get_device_properties(index)
    free, total = torch.cuda.mem_get_info(index)
    with torch.cuda.device(index):
        bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    return {
        'name': properties.name,
        'memory_gb': round(total / GB, 1),
        'free_gb': round(free / GB, 1),
        'compute capability': f'{properties.major}.{properties.minor}',
        'bf16': bf16,
    }


def check_shared_memory(place: str = PLACE) -> Finding:
    """Where data loaders hand over their batches: a container has hardly any by default."""
    free = free_shared_memory(place)
    if free is None:
        return Finding({'folder': f'no {place} here, and so no limit of it'})
    total = shutil.disk_usage(place).total
    facts = {'total_gb': round(total / GB, 3), 'free_gb': round(free / GB, 3)}
    remedy = (
        'start the container with more shared memory: docker run --shm-size=8g, or --ipc=host; '
        'until then loaders whose batches do not fit load in the process of the training'
    )
    what = "data loaders with processes of their own, of detectors' batches"
    return Finding(facts, (Ability(what, free >= ENOUGH_SHARED, remedy),))


def check_disk(folder: str | os.PathLike = WORK_DIRS) -> Finding:
    """Space for runs in ``folder``, where commands put them by default."""
    path = Path(folder).resolve()
    there = next(place for place in (path, *path.parents) if place.exists())
    usage = shutil.disk_usage(there)
    writable = there.is_dir() and os.access(there, os.W_OK)
    facts = {
        'folder': str(path) + ('' if path.exists() else ' (made when needed)'),
        'free_gb': round(usage.free / GB, 1),
        'total_gb': round(usage.total / GB, 1),
        'writable': writable,
    }
    keeps = Ability(
        f'keep runs in {folder}',
        writable and usage.free > ENOUGH / 10,
        'give another folder by --work-dir, or make room and allow writing',
    )
    large = Ability(
        'keep the checkpoints of large studies',
        writable and usage.free > ENOUGH,
        f'give a folder with {ENOUGH / GB:.0f} GB of room by --work-dir',
    )
    return Finding(facts, (keeps, large))
