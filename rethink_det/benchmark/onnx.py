"""What an exported network costs: onnxruntime beside PyTorch, on random images."""

import statistics

from rethink_det.benchmark.timing import measure
from rethink_det.export import OnnxFile

ROUNDS = 10
"""Timings, of which the median is told."""


def latencies(file: OnnxFile) -> dict[str, float]:
    """Median seconds of a batch on the CPU, by ``'PyTorch'`` and ``'onnxruntime'``.

    A batch has the number of images that the file takes, one where it takes any.
    """
    network, exportable = file.network(), file.exportable
    images = exportable.random_images(exportable.batch or 1)
    calls = {
        'PyTorch': lambda: exportable.run(images),
        'onnxruntime': lambda: network.run(images),
    }
    return {name: statistics.median(times) for name, times in measure(calls, ROUNDS).items()}
