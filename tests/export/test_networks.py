"""What a checkpoint becomes before it is exported."""

from dataclasses import replace

import pytest
import torch

from rethink_det import UserError
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.export import read_exportable
from rethink_det.export.networks import Normalised, normalising
from tests.small_detectors import config, fresh

BGR = InputConvention('bgr', (100.0, 110.0, 120.0), (50.0, 60.0, 70.0))


def test_a_classifier_says_what_it_costs_and_what_it_is(small_checkpoint, cifar):
    exportable = read_exportable(small_checkpoint)
    architecture = cifar(channels={'layer1.0.conv1': 2})
    assert exportable.cost == architecture.cost()
    assert exportable.meta == {'kind': 'classifier', 'architecture': architecture.to_dict()}
    assert exportable.convention is None
    assert not exportable.network.training


def test_a_backbone_is_counted_without_its_head_at_the_size_asked_for(small_checkpoint, cifar):
    exportable = read_exportable(small_checkpoint, input_shape=(3, 32, 32), backbone=True)
    whole = cifar(channels={'layer1.0.conv1': 2}).cost((3, 32, 32))
    assert exportable.outputs == ('feature_0', 'feature_1', 'feature_2')
    assert exportable.cost.macs_conv == whole.macs_conv
    assert exportable.cost.macs_linear == 0 < whole.macs_linear


def test_pixels_are_swapped_and_normalised_inside():
    images = torch.randint(0, 256, (2, 3, 4, 4), dtype=torch.uint8)
    mean, std = (torch.tensor(values)[:, None, None] for values in (BGR.mean, BGR.std))
    expected = (images.flip(1).float() - mean) / std
    assert Normalised(torch.nn.Identity(), BGR)(images).equal(expected)


def test_what_reads_pixels_says_so(small_checkpoint):
    exportable = replace(read_exportable(small_checkpoint), convention=BGR)
    assert normalising(exportable, small_checkpoint).random_images(1).dtype == torch.uint8


def test_normalising_needs_to_know_how(small_checkpoint):
    with pytest.raises(UserError, match=r"small\.pth does not say.*meta\['input_convention'\]"):
        normalising(read_exportable(small_checkpoint), small_checkpoint)


def test_a_detectors_images_need_a_size(tmp_path):
    torch.save({'state_dict': fresh(config())}, tmp_path / 'detector.pth')
    with pytest.raises(UserError, match='say which by --input-shape 3 H W'):
        read_exportable(tmp_path / 'detector.pth', config())


def test_a_checkpoint_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match=r'gone\.pth'):
        read_exportable(tmp_path / 'gone.pth')
