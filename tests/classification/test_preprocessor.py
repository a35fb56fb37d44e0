"""Batches of images: cropped and flipped as promised in training, untouched in evaluation."""

import pytest
import torch
import torch.nn.functional as F
from scipy.stats import binomtest, chisquare
from torchvision import transforms as T

from rethink_det.classification import ImagePreprocessor
from rethink_det.errors import UserError

PAD = 4


def augment(images, training=True, **settings):
    neutral = dict(mean=[0.0] * 3, std=[1.0] * 3, pad=PAD, flip=0.5) | settings
    data = dict(inputs=images, gt_label=torch.arange(len(images)))
    return ImagePreprocessor(**neutral)(data, training)


def numbered(count, size=8):
    """Images whose pixels all differ and are not zero, so that a crop tells its offset."""
    pixels = torch.arange(1, size * size + 1, dtype=torch.uint8).view(1, 1, size, size)
    return pixels.repeat(count, 3, 1, 1)


def offsets(crops):
    """Row and column of the window in the padded image, by its first pixel of the image."""
    size = crops.shape[-1]
    found = []
    for crop in crops[:, 0].long():
        row, column = (crop > 0).nonzero()[0].tolist()
        value = int(crop[row, column]) - 1
        found.append((value // size - row + PAD, value % size - column + PAD))
    return found


def test_a_crop_is_a_window_of_the_padded_image():
    torch.manual_seed(0)
    images = numbered(64)
    crops = augment(images, flip=0)['inputs']
    padded = F.pad(images, [PAD] * 4).float()
    for crop, image, (top, left) in zip(crops, padded, offsets(crops), strict=True):
        assert torch.equal(crop, image[:, top : top + 8, left : left + 8])


def test_all_offsets_are_equally_likely_in_both_directions():
    torch.manual_seed(1)
    found = offsets(augment(numbered(4050), flip=0)['inputs'])
    counts = torch.zeros(2 * PAD + 1, 2 * PAD + 1)
    for top, left in found:
        counts[top, left] += 1
    assert counts.sum() == 4050 and counts.min() > 0
    assert chisquare(counts.flatten()).pvalue > 0.001


def test_half_of_the_images_are_flipped_and_the_rest_is_not():
    torch.manual_seed(2)
    images = numbered(1000)
    out = augment(images, pad=0)['inputs']
    flipped = (out == images.flip(3)).flatten(1).all(1)
    same = (out == images).flatten(1).all(1)
    assert (flipped ^ same).all()
    assert binomtest(int(flipped.sum()), 1000, 0.5).pvalue > 0.001


@pytest.mark.parametrize('flip, expected', [(0.0, False), (1.0, True)])
def test_never_and_always_are_exact(flip, expected):
    images = numbered(50)
    out = augment(images, pad=0, flip=flip)['inputs']
    assert torch.equal(out, (images.flip(3) if expected else images).float())


def test_images_of_one_batch_are_treated_differently():
    torch.manual_seed(3)
    assert len(set(offsets(augment(numbered(20), flip=0)['inputs']))) > 10


def test_oblong_images_keep_their_shape():
    assert augment(torch.ones(5, 3, 6, 10, dtype=torch.uint8))['inputs'].shape == (5, 3, 6, 10)


def test_evaluation_is_not_random_and_draws_nothing():
    images = torch.randint(0, 256, (8, 3, 8, 8), dtype=torch.uint8)
    state = torch.get_rng_state()
    first, second = augment(images, False), augment(images, False)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first['inputs'], images.float())
    assert torch.equal(second['inputs'], first['inputs'])


def test_a_seed_repeats_the_augmentation():
    def drawn(seed):
        torch.manual_seed(seed)
        return augment(numbered(16))['inputs']

    assert torch.equal(drawn(0), drawn(0))
    assert not torch.equal(drawn(0), drawn(1))


@pytest.mark.parametrize('training', [False, True])
def test_normalisation_is_exact(training):
    mean, std = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
    images = torch.randint(0, 256, (4, 3, 5, 5), dtype=torch.uint8)
    out = augment(images, training, mean=mean, std=std, pad=0, flip=0)['inputs']
    for channel in range(3):
        expected = (images[:, channel].double() - mean[channel]) / std[channel]
        assert torch.allclose(out[:, channel].double(), expected, atol=1e-6)
    assert out.dtype == torch.float32


def test_padding_is_black_before_normalisation():
    torch.manual_seed(0)
    white = torch.full((200, 3, 4, 4), 255, dtype=torch.uint8)
    out = augment(white, mean=[127.5] * 3, std=[127.5] * 3)['inputs']
    assert set(out.unique().tolist()) == {-1.0, 1.0}


def test_labels_and_the_callers_batch_stay_as_they_are():
    images = numbered(4)
    before = images.clone()
    out = augment(images)
    assert out['gt_label'].tolist() == [0, 1, 2, 3]
    assert torch.equal(images, before)
    assert ImagePreprocessor([0.0] * 3, [1.0] * 3).state_dict() == {}


@pytest.mark.parametrize(
    'wrong', [{'flip': 1.5}, {'std': [1.0, 1.0]}, {'std': [1.0, 1.0, 0.0]}], ids=str
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(UserError, match='ImagePreprocessor needs'):
        ImagePreprocessor(**{'mean': [0.0] * 3, 'std': [1.0] * 3, **wrong})


def test_the_recipes_views_and_their_frequencies_are_torchvisions():
    torch.manual_seed(4)
    image = numbered(1)[0]
    padded = T.functional.pad(image, PAD)
    windows = [
        T.functional.crop(padded, top, left, 8, 8)
        for top in range(2 * PAD + 1)
        for left in range(2 * PAD + 1)
    ]
    views = [view for window in windows for view in (window, T.functional.hflip(window))]
    places = {view.numpy().tobytes(): place for place, view in enumerate(views)}
    assert len(places) == 162

    recipe = T.Compose([T.RandomCrop(8, padding=PAD), T.RandomHorizontalFlip()])
    theirs = torch.stack([recipe(image) for _ in range(4860)])
    ours = augment(numbered(4860))['inputs'].byte()
    for drawn in (theirs, ours):
        found = [places[view.numpy().tobytes()] for view in drawn]  # no other view occurs
        assert chisquare(torch.tensor(found).bincount(minlength=162)).pvalue > 0.001


def test_the_cifar_recipes_normalisation_is_torchvisions():
    mean, std = [0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.2010]
    images = torch.randint(0, 256, (4, 3, 5, 5), dtype=torch.uint8)
    expected = T.functional.normalize(images / 255, mean, std)
    ours = augment(
        images, False, mean=[255 * value for value in mean], std=[255 * value for value in std]
    )
    assert torch.allclose(ours['inputs'], expected, atol=1e-5)


@pytest.mark.parametrize('pad', [-1, 1.5, None])
def test_a_padding_that_is_no_count_is_refused(pad):
    with pytest.raises(UserError, match='ImagePreprocessor: pad must be .* at least 0, got'):
        ImagePreprocessor([0.0], [1.0], pad=pad)


@pytest.mark.parametrize('mean, std, name', [(0.0, [1.0], 'mean'), ([0.0], '1', 'std')])
def test_what_is_no_list_is_refused_by_name(mean, std, name):
    with pytest.raises(UserError, match=f'ImagePreprocessor: {name} is a list, got'):
        ImagePreprocessor(mean, std)


@pytest.mark.parametrize('value', [float('nan'), float('inf'), 'a'])
def test_means_and_deviations_that_are_no_finite_numbers_are_refused(value):
    with pytest.raises(UserError, match='ImagePreprocessor: mean must be a finite number, got'):
        ImagePreprocessor([0.0, value], [1.0, 1.0])
    with pytest.raises(UserError, match='ImagePreprocessor: std must be a finite number, got'):
        ImagePreprocessor([0.0, 0.0], [1.0, value])


def test_no_channel_at_all_is_refused():
    with pytest.raises(UserError, match=r'one positive std for each mean; .*mean=\[\], std=\[\]'):
        ImagePreprocessor([], [])
