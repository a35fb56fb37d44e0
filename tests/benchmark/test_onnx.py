"""An exported network is timed beside PyTorch."""

import pytest

from rethink_det import UserError, export_onnx
from rethink_det.architecture.checkpoint import save_checkpoint
from rethink_det.benchmark.onnx import latencies

for module in ('onnx', 'onnxscript', 'onnxruntime'):
    pytest.importorskip(module)


@pytest.fixture
def file(cifar, tmp_path):
    """A small network, exported."""
    architecture = cifar()
    state = architecture.build_network().state_dict()
    path = tmp_path / 'small.pth'
    save_checkpoint({'meta': {'architecture': architecture.to_dict()}, 'state_dict': state}, path)
    return export_onnx(path)


def test_both_have_a_latency(file):
    times = latencies(file)
    assert list(times) == ['PyTorch', 'onnxruntime']
    assert all(0 < seconds < 60 for seconds in times.values())


def test_a_file_that_was_damaged_is_refused(file):
    file.path.write_bytes(b'no network')
    with pytest.raises(UserError, match='onnxruntime cannot run the exported network'):
        latencies(file)
