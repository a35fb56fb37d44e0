"""Training a classifier in plain PyTorch, as research scripts do: the peer of a benchmark."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from rethink_det.benchmark.workload import (
    FLIP,
    MEAN,
    PAD,
    SGD,
    STD,
    Workload,
)
from rethink_det.training.device import current_device, wait_for


class PlainImages(Dataset):
    """Images as torchvision's CIFAR gives them: a PIL image each, transformed one by one.

    Args:
        images: uint8 ``(N, 3, H, W)``.
        labels: ``(N,)``.
    """

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self._images = images.permute(0, 2, 3, 1).contiguous().numpy()
        self._labels = labels.tolist()
        self._transform = transforms.Compose(
            [
                transforms.RandomCrop(images.shape[2:], padding=PAD),
                transforms.RandomHorizontalFlip(FLIP),
                transforms.ToTensor(),
                transforms.Normalize(MEAN, STD),
            ]
        )

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """A float image ``(3, H, W)`` and its label."""
        return self._transform(Image.fromarray(self._images[index])), self._labels[index]


def plain_loader(workload: Workload, workers: int) -> DataLoader:
    """Shuffled batches; workers live on between epochs, which is to the peer's advantage."""
    return DataLoader(
        PlainImages(*workload.noise()),
        batch_size=workload.batch,
        shuffle=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=torch.cuda.is_available(),
    )


def plain_training(workload: Workload, threads: int) -> Callable[[], None]:
    """A function that trains for an epoch: one worker, float32, NCHW, SGD with momentum."""
    torch.set_num_threads(threads)
    torch.backends.cudnn.benchmark = True
    device = current_device()
    network = workload.architecture().build_network().to(device).train()
    optimizer = torch.optim.SGD(network.parameters(), **SGD)
    loader = plain_loader(workload, workers=1)

    def epoch() -> None:
        for images, labels in loader:
            images = images.to(device, non_blocking=True)
            labels = labels.to(device, non_blocking=True)
            optimizer.zero_grad()
            F.cross_entropy(network(images), labels).backward()
            optimizer.step()
        wait_for(device)

    return epoch


@contextmanager
def elsewhere(
    make: Callable[..., Callable[[], object]], *args: Any
) -> Iterator[Callable[[], None]]:
    """The function ``make(*args)``, living in a process of its own.

    Neither its memory nor its settings are this process's; between calls it does nothing.
    """
    context = multiprocessing.get_context('spawn')
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, make, args))
    process.start()
    theirs.close()  # so that ours knows when the process is gone

    def call() -> None:
        ours.send(True)
        ours.recv()

    try:
        yield call
    finally:
        ours.close()
        process.join()


def _serve(connection: Connection, make: Callable[..., Callable], args: tuple) -> None:
    call = make(*args)
    while _asked(connection):
        call()
        connection.send(True)


def _asked(connection: Connection) -> bool:
    try:
        return connection.recv()
    except EOFError:
        return False
