"""A part is held out of a data set, the same in every run; what is left is the rest."""

import pytest
import torch

from rethink_det.datasets import HeldOut, ImageTensorDataset
from rethink_det.datasets.held_out import check_divisible
from rethink_det.errors import UserError


def whole(*counts):
    """So many images of each class, each of a colour of its own."""
    labels = torch.cat([torch.full((count,), label) for label, count in enumerate(counts)])
    images = torch.arange(len(labels), dtype=torch.uint8)[:, None, None, None].expand(-1, 3, 2, 2)
    return ImageTensorDataset(images, labels, [f'class {n}' for n in range(len(counts))])


@pytest.mark.parametrize('counts, share', [((20, 20), 2), ((39, 24, 60), 2), ((2, 3), 1)])
def test_of_each_class_the_same_number_is_held_out_and_the_rest_is_left(counts, share):
    held, left = (HeldOut(whole(*counts), part) for part in (True, False))
    assert held.labels.bincount().tolist() == [share] * len(counts)
    assert left.labels.bincount().tolist() == [count - share for count in counts]
    colours = [set(part.images[:, 0, 0, 0].tolist()) for part in (held, left)]
    assert not colours[0] & colours[1] and len(colours[0] | colours[1]) == sum(counts)
    assert held.metainfo == whole(*counts).metainfo


def test_it_is_the_same_whatever_was_drawn_before():
    first = HeldOut(whole(30, 30), True)
    torch.rand(3)
    assert torch.equal(HeldOut(whole(30, 30), True).images, first.images)


def test_it_is_built_from_a_config(tiny_config):
    config = tiny_config().train_dataloader.dataset.to_dict()
    assert (len(HeldOut(config, True)), len(HeldOut(config, False))) == (2, 22)


def test_what_cannot_be_divided_is_refused():
    with pytest.raises(UserError, match='rethink_det.ImageFolder; list is none'):
        HeldOut([1, 2], True)
    with pytest.raises(UserError, match='so that each class keeps images to train on'):
        HeldOut(whole(1, 9), True)


@pytest.mark.parametrize('kind', ['rethink_det.ImageNet', 'mmengine.BaseDataset', 'nobody.s', None])
def test_a_config_of_another_data_set_is_refused_unbuilt(kind):
    check_divisible(dict(type='rethink_det.ImageFolder', data_root='is/not/there'))
    with pytest.raises(UserError, match=f'rethink_det.ImageFolder; {kind} is none'):
        check_divisible(dict(type=kind))
