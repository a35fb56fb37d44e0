"""Heads are told the widths of the maps that they read, by the places that they name."""

import pytest

from rethink_det.errors import UserError
from rethink_det.segmentation.transfer.heads import readers, set_head_widths

OLD, NEW = [256, 512, 1024, 2048], [250, 500, 1000, 2000]


def told(**heads):
    model = dict(heads)
    changes = set_head_widths(model, OLD, NEW)
    return model, [str(one) for one in changes]


@pytest.mark.parametrize(
    'before, after',
    [
        (dict(in_channels=2048, in_index=3), 2000),
        (dict(in_channels=2048), 2000),
        (dict(in_channels=1024, in_index=-2), 1000),
        (dict(in_channels=OLD, in_index=[0, 1, 2, 3], input_transform='multiple_select'), NEW),
        (
            dict(in_channels=(256, 1024), in_index=(0, 2), input_transform='resize_concat'),
            [250, 1000],
        ),
        (dict(in_channels=OLD), NEW),
    ],
)
def test_a_head_is_told_what_it_reads(before, after):
    model, (line,) = told(decode_head=dict(before))
    assert model['decode_head']['in_channels'] == after
    assert line.startswith('model.decode_head.in_channels: ') and line.endswith(f'-> {after}')


def test_lists_of_heads_and_heads_in_heads_are_told():
    inner = dict(type='FCNHead', in_channels=2048, in_index=3)
    model, lines = told(
        decode_head=[dict(in_channels=512, in_index=1), dict(kernel_generate_head=inner)],
        auxiliary_head=[dict(in_channels=1024, in_index=2)],
    )
    assert [place for place, _ in readers(model)] == [line.partition('.in_')[0] for line in lines]
    assert [head['in_channels'] for _, head in readers(model)] == [500, 2000, 1000]


def test_the_finest_map_that_deeplab_reads_besides_is_told():
    model, _ = told(decode_head=dict(in_channels=2048, in_index=3, c1_in_channels=256))
    assert model['decode_head'] == dict(in_channels=2000, in_index=3, c1_in_channels=250)


def test_nothing_is_said_where_nothing_changes():
    model = dict(decode_head=dict(in_channels=2048, in_index=3))
    assert set_head_widths(model, OLD, OLD) == []


@pytest.mark.parametrize(
    'head, words',
    [
        (dict(in_channels=2048, in_index=4), 'in_index is 4, but there are 4 feature maps'),
        (dict(in_channels=1024, in_index=3), 'has 1024 for a map that is 2048 wide'),
        (dict(in_channels=2048, in_index=[2, 3]), r'is 2048 for the maps \[2, 3\]'),
        (dict(in_channels=[256, 512]), 'is for 2 feature maps'),
        (dict(in_channels=2048, in_index=3, c1_in_channels=64), 'c1_in_channels has 64'),
    ],
)
def test_what_does_not_fit_is_refused(head, words):
    with pytest.raises(UserError, match=words):
        set_head_widths(dict(decode_head=head), OLD, NEW)


def test_another_number_of_maps_is_refused():
    with pytest.raises(UserError, match='written for 4 feature maps and would get 3'):
        set_head_widths(dict(decode_head={}), OLD, NEW[:3])
