"""What a network calls is known by shapes alone, and can be called again."""

import pytest
import torch
from torch import nn

from rethink_det.latency import operations_of

CPU = torch.device('cpu')


def network(width=4):
    return nn.Sequential(
        nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.ReLU(inplace=True),
        nn.Conv2d(width, width, 1), nn.Upsample(scale_factor=2), nn.Flatten(),
    ).eval()  # fmt: skip


def found(model, device='cpu', size=8):
    images = torch.zeros(1, 3, size, size, device=device)
    return operations_of(lambda: model.to(device)(images))


def test_nothing_is_computed_on_the_meta_device_and_the_operations_are_the_same():
    real, meta = found(network()), found(network(), 'meta')
    convolutions = [one for one in meta if 'convolution' in str(one.operator)]
    assert len(convolutions) == 2 and set(convolutions) <= set(real)
    assert sum(real.values()) >= 5


def test_values_do_not_matter_and_widths_and_sizes_do():
    assert found(network()) == found(network())
    texts = {repr(tuple(found(network(width), size=size))) for width in (4, 5) for size in (8, 9)}
    assert len(texts) == 4
    assert not any('meta' in repr(one) or '0x' in repr(one) for one in found(network(), 'meta'))


@pytest.mark.parametrize('device', ['cpu', 'meta'])
def test_each_can_be_called_by_itself(device):
    for one in found(network(), device):
        prepared = one.prepared(CPU)
        prepared.freshen()
        with torch.no_grad():
            prepared()
        assert one.memory >= 0


def test_calls_are_counted_and_memory_is_that_of_the_tensors():
    image = torch.ones(1, 3, 8, 8)
    (one,) = (o for o in operations_of(lambda: [image + image, image + image]))
    assert operations_of(lambda: [image + image, image + image])[one] == 2
    assert one.memory == 2 * 3 * 64 * 4


def test_what_the_network_raises_is_raised():
    with pytest.raises(RuntimeError, match='channels'):
        found(nn.Conv2d(4, 4, 1))
