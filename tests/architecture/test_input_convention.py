"""Channel order, mean and std: the same whether read off a config, a model or a checkpoint."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmdet.models import DetDataPreprocessor
from mmengine.model import BaseDataPreprocessor

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.classification import ImagePreprocessor
from rethink_det.errors import UserError

levels = st.lists(st.floats(0.5, 255, width=32), min_size=3, max_size=3).map(tuple)
conventions = st.builds(InputConvention, st.sampled_from(['rgb', 'bgr']), levels, levels)
RGB = InputConvention('rgb', (123.675, 116.28, 103.53), (58.395, 57.12, 57.375))


@given(conventions)
def test_all_ways_to_say_it_mean_the_same(convention):
    settings = convention.settings()
    assert InputConvention.of_settings(settings) == convention
    assert InputConvention.of(DetDataPreprocessor(**settings)) == convention
    assert InputConvention.from_dict(convention.to_dict()) == convention


@given(conventions, conventions)
def test_conventions_differ_if_anything_of_them_does(one, other):
    same = one.to_dict() == other.to_dict()
    close = one.channels == other.channels and torch.allclose(
        torch.tensor([one.mean, one.std]), torch.tensor([other.mean, other.std]), 1e-5, 1e-5
    )
    assert (one == other) == (same or close)


def test_this_packages_classifiers_see_rgb():
    preprocessor = ImagePreprocessor(list(RGB.mean), list(RGB.std))
    assert InputConvention.of(preprocessor) == RGB
    settings = dict(type='rethink_det.ImagePreprocessor', mean=RGB.mean, std=RGB.std)
    assert InputConvention.of_settings(settings) == RGB


def test_float32_leaves_no_traces():
    found = InputConvention.of(ImagePreprocessor(list(RGB.mean), list(RGB.std)))
    assert found.to_dict() == dict(channels='rgb', mean=list(RGB.mean), std=list(RGB.std))
    assert str(found) == 'RGB, mean 123.675, 116.28, 103.53, std 58.395, 57.12, 57.375'


@given(conventions)
def test_a_detector_computes_what_a_classifier_of_the_convention_does(convention):
    """On an image as mmcv loads it: BGR, of 0..255."""
    image = torch.arange(3 * 4 * 4).view(3, 4, 4).to(torch.uint8)
    detector = DetDataPreprocessor(**convention.settings())
    seen = detector(dict(inputs=[image], data_samples=None))['inputs'][0]
    values = image.flip(0) if convention.channels == 'rgb' else image
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (convention.mean, convention.std))
    torch.testing.assert_close(seen, (values.float() - mean) / std)


@pytest.mark.parametrize('preprocessor', [None, BaseDataPreprocessor(), DetDataPreprocessor()])
def test_a_model_that_normalises_nothing_has_none(preprocessor):
    assert InputConvention.of(preprocessor) is None


@pytest.mark.parametrize('settings', [None, {}, dict(mean=[1.0], std=[2.0]), dict(mean=[1.0] * 3)])
def test_a_config_that_normalises_no_three_channels_has_none(settings):
    assert InputConvention.of_settings(settings) is None


@pytest.mark.parametrize('checkpoint', [{}, {'meta': None}, {'meta': {}}])
def test_an_older_checkpoint_says_nothing(checkpoint):
    assert Checkpoint.from_dict(checkpoint).input_convention is None


@pytest.mark.parametrize(
    'entry',
    ['rgb', {}, dict(RGB.to_dict(), channels='gbr'), dict(RGB.to_dict(), mean=['a', 'b', 'c']),
     dict(RGB.to_dict(), std=[1.0])],
)  # fmt: skip
def test_an_entry_without_sense_is_refused_by_file(entry):
    with pytest.raises(UserError, match=r"old.pth: meta\['input_convention'\].*expected channels"):
        Checkpoint.from_dict({'meta': {'input_convention': entry}}, 'old.pth')


@pytest.mark.parametrize(
    'change',
    [dict(std=[58.4, 0.0, 57.4]), dict(std=[58.4, -1.0, 57.4]), dict(mean=[float('nan'), 1.0, 2.0]),
     dict(std=[float('inf'), 1.0, 1.0]), dict(mean=[], std=[])],
)  # fmt: skip
def test_numbers_that_normalise_nothing_are_refused_by_file(change):
    with pytest.raises(UserError, match='old.pth: .* expected channels .* and a positive std'):
        InputConvention.from_dict({**RGB.to_dict(), **change}, 'old.pth')
