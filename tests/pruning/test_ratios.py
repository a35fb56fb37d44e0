"""How many channels each layer keeps."""

import math
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det import UserError
from rethink_det.pruning.ratios import num_keep, targets_from_architecture, targets_from_ratios

WIDTHS = {'layer1.0.conv1': 16, 'layer1.1.conv1': 16, 'layer2.0.conv1': 32}


@pytest.mark.parametrize(
    'ratio, published',
    [
        (0.1, {16: 14, 32: 28, 64: 57}),
        (0.3, {32: 22, 64: 44, 128: 89, 256: 179}),
        (0.4, {32: 19, 256: 153}),
        (0.5, {16: 8, 64: 32}),
        (0.6, {16: 6, 128: 51}),
        (0.0, {16: 16, 511: 511}),
    ],
)
def test_num_keep_truncates_as_the_published_networks_do(ratio, published):
    assert {width: num_keep(width, ratio) for width in published} == published


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 20))
def test_no_ratio_empties_or_widens_a_layer(ratio, least):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        targets = targets_from_ratios(WIDTHS, ratio, min_channels=least)
    for layer, width in WIDTHS.items():
        kept = targets.get(layer, width)
        assert min(least, width) <= kept <= width
        assert kept >= num_keep(width, ratio)


@pytest.mark.parametrize('least', [1, 4])
def test_a_floor_is_announced(least):
    with pytest.warns(UserWarning, match=f'conv1 0 of its 16 channels; it keeps {least}'):
        targets = targets_from_ratios(WIDTHS, 0.99, min_channels=least)
    assert targets == dict.fromkeys(WIDTHS, least)


@given(st.floats(0, 1, exclude_max=True), st.sampled_from([1, 2, 4, 8, 16]))
def test_groups_stay_equal_and_no_more_goes_than_asked(ratio, multiple):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter('always')
        targets = targets_from_ratios(WIDTHS, ratio, multiples=dict.fromkeys(WIDTHS, multiple))
    for layer, width in WIDTHS.items():
        kept, wanted = targets.get(layer, width), max(1, num_keep(width, ratio))
        assert kept % multiple == 0 and wanted <= kept < wanted + multiple
    uneven = any(max(1, num_keep(width, ratio)) % multiple for width in WIDTHS.values())
    assert uneven == any('groups of their GroupNorm' in str(one.message) for one in said)


def test_the_first_pattern_that_matches_decides():
    ratios = {'layer1.1.*': 0.25, 'layer1.*': 0.5}
    assert targets_from_ratios(WIDTHS, ratios) == {'layer1.0.conv1': 8, 'layer1.1.conv1': 12}


def test_skipped_and_whole_layers_are_not_listed():
    assert targets_from_ratios(WIDTHS, 0.5, skip=['layer1.*']) == {'layer2.0.conv1': 16}
    assert targets_from_ratios(WIDTHS, {'layer1.0.conv1': 0.5, '*': 0}) == {'layer1.0.conv1': 8}


@pytest.mark.parametrize('ratio', [1.0, 1, -0.1, math.nan, math.inf, '0.3', None, [0.3]])
def test_an_impossible_ratio_is_refused(ratio):
    with pytest.raises(UserError, match=r"ratio of 'layer2.\*' must be in \[0, 1\)"):
        targets_from_ratios(WIDTHS, {'layer1.*': 0.5, 'layer2.*': ratio})


@pytest.mark.parametrize('arguments', [({'layer3.*': 0.5},), (0.5, ['layer3.*'])])
def test_a_pattern_without_a_layer_is_refused_and_the_layers_listed(arguments):
    with pytest.raises(UserError, match=r"'layer3.\*' matches no .* are layer1.0.conv1, layer1.1"):
        targets_from_ratios(WIDTHS, *arguments)


def test_a_target_gives_its_widths(cifar):
    base = cifar(channels={'layer1.0.conv1': 3})
    target = cifar(channels={'layer1.0.conv1': (0, 2), 'layer3.0.conv1': 9})
    assert targets_from_architecture(cifar(), target) == {'layer1.0.conv1': 2, 'layer3.0.conv1': 9}
    assert targets_from_architecture(base, target) == {'layer1.0.conv1': 2, 'layer3.0.conv1': 9}
    assert targets_from_architecture(base, base) == {}


def test_a_target_of_another_network_or_wider_is_refused(cifar):
    with pytest.raises(UserError, match='layer conv1 is 8 wide there and 4 here'):
        targets_from_architecture(cifar(), cifar(base_channels=8))
    with pytest.raises(UserError, match='layer1.1.conv1 is 4 wide there and None here'):
        targets_from_architecture(cifar(), cifar(depth=14))
    with pytest.raises(UserError, match='wants 4 channels in layer1.0.conv1; only 3 are left'):
        targets_from_architecture(cifar(channels={'layer1.0.conv1': 3}), cifar())


@pytest.mark.parametrize(
    'more, words',
    [
        (dict(selections={'layer2.0.conv1': [0, 1, 3]}), 'selects channels'),
        (dict(removed_blocks=['layer1.0']), 'lacks blocks'),
        (dict(masks={'digest': 'abc', 'kept': {'layer1.0.conv1': 3}}), 'has weight masks'),
    ],
)
def test_a_target_that_lacks_more_than_channels_is_refused(cifar, more, words):
    with pytest.raises(UserError, match=f'{words}, which this method does not bring about'):
        targets_from_architecture(cifar(), cifar(**more))
