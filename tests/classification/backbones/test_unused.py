"""What of a backbone its outputs need, found without memory."""

import pytest
import torch
from torch import nn

from rethink_det.classification.backbones.unused import freeze_unused, outputs_without_memory


class Two(nn.Module):
    """Two layers, of which the first makes the only output."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3)
        self.offset = nn.Parameter(torch.zeros(4, 1, 1))

    def forward(self, images):
        return (self.first(images) + self.offset,)


def test_outputs_have_shapes_and_no_values():
    (made,) = outputs_without_memory(Two(), (8, 10))
    assert made.is_meta and made.shape == (1, 4, 6, 8)
    assert outputs_without_memory(Two(), 8)[0].shape == (1, 4, 6, 6)
    with pytest.raises(RuntimeError, match='[Kk]ernel size'):
        outputs_without_memory(Two(), 2)


@pytest.mark.parametrize('training', [True, False])
def test_what_no_output_depends_on_is_frozen_and_the_rest_left_alone(training):
    network = Two().train(training)
    network.first.bias.requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    freeze_unused(network, 8)
    trained = {name for name, p in network.named_parameters() if p.requires_grad}
    assert trained == {'first.weight', 'offset'}
    assert network.training == training
    assert all(torch.equal(t, before[n]) for n, t in network.state_dict().items())
