"""What methods that look at images compute on: the same there as on the CPU, and back again."""

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from rethink_det import UserError, prune
from rethink_det.architecture import Surgeon
from rethink_det.pruning import features
from rethink_det.pruning.at_work import at_work
from rethink_det.pruning.features import (
    LayerSampler,
    Probe,
    channel_weights,
    set_channel_weights,
)
from rethink_det.pruning.regression import lasso_problem, refit
from rethink_det.pruning.thinet import ThiNetPruner, rescaling

METHODS = {
    'thinet': dict(type='ThiNetPruner', images=40),
    'thinet, compensating': dict(type='ThiNetPruner', images=40, compensate=True),
    'regression': dict(type='RegressionPruner', images=40, block_inputs=0.25),
    'taylor': dict(type='ImportancePruner', importance='taylor', images=40),
    'hessian': dict(type='ImportancePruner', importance='hessian', images=20),
    'activation': dict(type='ImportancePruner', importance='activation', images=40),
    'apoz': dict(type='ImportancePruner', importance='apoz', images=40),
}


@pytest.fixture
def network(cifar, unsettle):
    torch.manual_seed(0)
    architecture = cifar()
    network = unsettle(architecture.build_network())
    network.architecture = architecture
    return network


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(40, 3, 16, 16, generator=generator)
    return [(part, torch.arange(len(part)) % 3) for part in images.split(16)]


class Travelling(nn.Linear):
    """Notes where it is sent."""

    def to(self, device):
        self.way = [*getattr(self, 'way', ()), device.type]
        return self if device.type == 'meta' else super().to(device)


def test_the_network_comes_back_whatever_happens():
    network = Travelling(2, 2)
    weight = network.weight
    with pytest.raises(KeyError), at_work(network, torch.device('meta')):
        assert network.way == ['meta']
        raise KeyError
    assert network.way == ['meta', 'cpu'] and network.weight is weight


def test_a_network_that_is_elsewhere_stays_there():
    network = nn.Linear(2, 2, device='meta')
    with at_work(network):
        assert network.weight.is_meta


def test_a_gpu_that_is_too_small_is_told_with_the_remedy():
    with (
        pytest.raises(UserError, match='memory of cpu is not enough .* images=N.*--device cpu'),
        at_work(nn.Linear(2, 2), torch.device('cpu')),
    ):
        raise torch.cuda.OutOfMemoryError('CUDA out of memory')


def test_places_do_not_depend_on_how_many_images_run_together(network, data, monkeypatch):
    """A GPU takes more at once, and looks at the same places."""
    images = torch.cat([part for part, _ in data])
    layer = network.backbone.layer1[0].conv2
    probe = Probe('layer1.0.conv2', layer, torch.arange(layer.in_channels)[:, None])
    found = []
    for pixels in (2**20, 16 * 16 * 7):
        monkeypatch.setitem(features.PIXELS, 'cpu', pixels)
        with torch.no_grad():
            found.append(LayerSampler(network.eval(), images, 5, 0).look([probe]))
    one, other = (samples['layer1.0.conv2'] for samples in found)
    assert torch.allclose(one.inputs, other.inputs, atol=1e-5)
    assert torch.allclose(one.outputs, other.outputs, atol=1e-5)


def _on_a_card(module):
    """Puts tensors without values that say they are on a card into a network, within a mode."""
    for one in module.modules():
        for tensors in (one._parameters, one._buffers):
            for name, tensor in tensors.items():
                if tensor is not None:
                    empty = torch.empty(tensor.shape, dtype=tensor.dtype, device='cuda:0')
                    tensors[name] = nn.Parameter(empty) if tensors is one._parameters else empty


def test_what_is_looked_at_and_fitted_stays_on_its_device(network):
    """Without a card, too: an operation of tensors of two devices is refused all the same."""
    surgeon = Surgeon(network.eval(), network.architecture.input_shape, 'backbone.')
    (consumer,) = surgeon.consumers('layer2.0.conv1')
    pruner, kept = ThiNetPruner(ratios=0.5), [0, 1, 2]
    with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad():
        _on_a_card(network)
        sampler = LayerSampler(network, torch.empty(40, 3, 16, 16, device='cuda:0'), 5, 0)
        probe = Probe(consumer.name, consumer.module, consumer.columns)
        seen = sampler.look([probe])[consumer.name]
        entries, gain = pruner._entries(consumer, seen, seen, sampler)
        weight = channel_weights(consumer.module, consumer.columns)
        fitted = refit(seen.inputs, weight, seen.outputs.double(), kept, 1.0)
        set_channel_weights(consumer.module, consumer.columns[kept], fitted)
        found = (*lasso_problem(seen.inputs, weight, seen.outputs), entries, gain, fitted)
        assert {tensor.device.type for tensor in found} == {'cuda'}
        assert rescaling(entries, gain, kept).device.type == 'cuda'
        with pytest.raises(RuntimeError, match='on the same device'):
            entries @ torch.empty(entries.shape[1], 1, dtype=torch.float64)


@pytest.mark.parametrize('name', ['gpu', 'cuda:99', 'meta', 3.5])
def test_a_device_that_is_not_there_is_refused(network, data, name):
    with pytest.raises(UserError, match='device: '):
        prune(network, dict(METHODS['thinet'], ratios=0.5), data=data, device=name)


@pytest.mark.gpu
@pytest.mark.parametrize('method', METHODS)
def test_a_gpu_finds_what_the_cpu_finds(network, data, method):
    settings = dict(METHODS[method], ratios=0.5)
    here, there = (prune(network, settings, data=data, device=d) for d in ('cpu', 'cuda'))
    assert there.architecture.channels == here.architecture.channels
    assert there.architecture.selections == here.architecture.selections
    for name, tensor in there.state_dict.items():
        assert tensor.device.type == 'cpu'
        assert torch.allclose(tensor, here.state_dict[name], rtol=1e-3, atol=1e-4), name


@pytest.mark.gpu
def test_a_gpu_is_taken_unless_something_else_is_said(network, data):
    settings, taken = dict(METHODS['taylor'], ratios=0.5), []
    for device in ('cpu', None):
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        prune(network, settings, data=data, device=device)
        taken.append(torch.cuda.max_memory_allocated() - before)
    assert taken[0] == 0 < taken[1]
