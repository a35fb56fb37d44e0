"""What tests ask of worker processes, which import it from here."""

import os
import subprocess
import time
from pathlib import Path

import torch

from rethink_det.datasets import CIFAR10
from rethink_det.files import save_text
from rethink_det.report.run_lock import lock


def meet(folder, number):
    """Wait until ``number`` processes have come; say who this is and which GPUs it is told."""
    Path(folder, str(os.getpid())).touch()
    end = time.monotonic() + 300
    while len(list(Path(folder).iterdir())) < number and time.monotonic() < end:
        time.sleep(0.02)
    return os.getpid(), os.environ.get('CUDA_VISIBLE_DEVICES')


def mapped_images(root, folder, number):
    """Read CIFAR-10 with others; the process and the inodes of the images that it has mapped."""
    data = CIFAR10(root)
    process, _ = meet(folder, number)
    lines = Path('/proc/self/maps').read_text().splitlines()
    inodes = {line.split()[4] for line in lines if line.endswith('images.npy')}
    return process, sorted(inodes), int(data.images.sum())


def compute_on_gpu(folder, number):
    """Compute with others; the process, how many GPUs it sees, and the sum of 1000 ones."""
    process, _ = meet(folder, number)
    return process, torch.cuda.device_count(), torch.ones(1000, device='cuda').sum().item()


def stay(file):
    """Say which process this is, and work for longer than any test."""
    save_text(str(os.getpid()), file)
    time.sleep(600)


def hold_still(folder, file, seconds=600):
    """Hold the lock of a folder, say which processes do, and change nothing."""
    with lock(Path(folder)), subprocess.Popen(['sleep', str(seconds)]) as child:
        save_text(f'{os.getpid()} {child.pid}', file)
        time.sleep(seconds)
    return 'done'
