"""Batches of any form that a loader gives: so many images come out, and no more."""

from collections.abc import Mapping

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rethink_det import UserError
from rethink_det.pruning.image_batches import image_batches, sample_images

FORMS = {
    'images': lambda images, labels: images,
    'pair': lambda images, labels: (images, labels),
    'list': lambda images, labels: [images, labels],
    'images in a list': lambda images, labels: [images],
    'dict': lambda images, labels: {'inputs': images, 'gt_label': labels},
    'dict of images': lambda images, labels: {'inputs': images},
}


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(1, 20))
@pytest.mark.parametrize('form', FORMS)
def test_as_many_images_come_as_are_asked_for_or_there_are(form, sizes, wanted):
    numbers = torch.arange(sum(sizes))
    data = [
        FORMS[form](part.float().view(-1, 1, 1, 1).expand(-1, 3, 2, 2), part)
        for part in numbers.split(sizes)
    ]
    out = list(image_batches(data, 'It', wanted))
    first = torch.cat([images[:, 0, 0, 0] for images, _ in out])
    assert first.tolist() == numbers[:wanted].tolist()
    for images, labels in out:
        if isinstance(FORMS[form](1, 2), Mapping | tuple | list) and 'images' not in form:
            assert labels.tolist() == images[:, 0, 0, 0].tolist()
        else:
            assert labels is None


def test_no_batch_is_drawn_in_vain():
    def data():
        yield torch.zeros(4, 3, 2, 2)
        raise AssertionError('a second batch was drawn')

    assert len(list(image_batches(data(), 'It', 4))) == 1


def test_smaller_images_are_padded_at_the_right_and_the_bottom():
    data = [torch.ones(1, 3, 2, 5), torch.ones(2, 3, 4, 3)]
    images = sample_images(data, 'It', 3, torch.zeros(1))
    assert images.shape == (3, 3, 4, 5)
    assert images[0].sum() == 3 * 2 * 5 and images[0, :, :2].all()
    assert images[1].sum() == 3 * 4 * 3 and images[1, :, :, :3].all()


@pytest.mark.parametrize(
    'data, message',
    [
        (None, 'It looks at images: pass data=loader'),
        ([], 'It looks at images, and the data yields no batch'),
        ([torch.zeros(3, 2, 2)], r'got a torch.float32 tensor of shape \(3, 2, 2\)'),
        ([torch.zeros(1, 3, 2, 2, dtype=torch.uint8)], 'got a torch.uint8 tensor'),
        ([torch.zeros(0, 3, 2, 2)], r'tensor of shape \(0, 3, 2, 2\)'),
        ([{'images': torch.zeros(1, 3, 2, 2)}], 'got a dict'),
        ([()], 'got a tuple'),
        (['abc'], 'got a str'),
    ],
)
def test_what_is_no_batch_is_refused_by_kind(data, message):
    with pytest.raises(UserError, match=message):
        list(image_batches(data, 'It', 5))
