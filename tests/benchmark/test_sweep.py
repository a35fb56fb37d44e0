"""Sweeps: every network in a process of its own, what is done stays done, nothing is left out."""

import json

import pytest

from rethink_det import UserError
from rethink_det.benchmark import backbone_sweep
from rethink_det.benchmark.backbone_table import (
    ALONE,
    AS_PEER,
    BROKEN,
    HALVED,
    LESS,
    MORE,
    REFUSED,
    WIDER,
    table,
    verdict,
)
from rethink_det.benchmark.sweep import ERROR, Sweep, chosen

SMALL = dict(type='mmdet.ResNet', depth=18, base_channels=8, stem_channels=8)
ENTRIES = {
    'small': dict(name='small', backbone=SMALL, input_shape=[3, 32, 32]),
    'odd one': dict(name='odd one', backbone=dict(type='mmdet.NoNet'), input_shape=[3, 32, 32]),
}


@pytest.fixture(scope='module')
def sweep(tmp_path_factory):
    return Sweep(backbone_sweep.__name__, ENTRIES, tmp_path_factory.mktemp('sweep'), 300)


@pytest.fixture(scope='module')
def outcomes(sweep):
    return sweep.run(workers=2)


def test_every_network_has_an_outcome_and_a_failure_ends_no_other(outcomes):
    assert list(outcomes) == list(ENTRIES)
    small = outcomes['small']
    assert verdict(small) == AS_PEER and not any(small['works'].values())
    assert small['left'] == pytest.approx(small['peer']) and 0.2 < small['left'] < 0.4
    assert 'NoNet' in outcomes['odd one'][ERROR] and verdict(outcomes['odd one']) == REFUSED


def test_what_is_done_is_not_done_again(sweep, outcomes):
    before = {name: sweep.file(name).stat().st_mtime_ns for name in ENTRIES}
    assert sweep.run() == outcomes
    assert {name: sweep.file(name).stat().st_mtime_ns for name in ENTRIES} == before


def test_an_outcome_of_another_entry_or_a_torn_one_is_none(sweep, outcomes, tmp_path):
    other = {'small': {**ENTRIES['small'], 'input_shape': [3, 64, 64]}}
    assert Sweep(sweep.module, other, sweep.folder).outcome('small') is None
    torn = Sweep(sweep.module, ENTRIES, tmp_path)
    torn.file('small').write_text(json.dumps(dict(outcomes['small']))[:50])
    assert torn.outcome('small') is None


def test_a_network_that_takes_too_long_is_said_to(tmp_path):
    entries = {'small': ENTRIES['small']}
    found = Sweep(backbone_sweep.__name__, entries, tmp_path, timeout=0.1).run()
    assert found['small'][ERROR] == 'not done within 0.1 s'


@pytest.mark.parametrize(
    'outcome, kind',
    [
        (dict(left=0.26, peer=0.27), AS_PEER),
        (dict(left=0.26, peer=0.4), LESS),
        (dict(left=0.5, peer=0.4), MORE),
        (dict(left=0.3, peer=0.2), WIDER),
        (dict(left=0.26), ALONE),
        (dict(left=HALVED + 0.01), MORE),
        (dict(left=0.26, works={'saved': 'no'}), BROKEN),
        ({ERROR: 'no'}, REFUSED),
    ],
)
def test_what_a_network_is(outcome, kind):
    assert verdict({'works': {'saved': None}, 'said': [], **outcome}) == kind


def test_the_table_has_all_of_them_and_counts_them(outcomes):
    text = table(outcomes)
    assert text.startswith('2 networks: ') and '1 refused' in text
    assert all(f'| {name} |' in text for name in ENTRIES)


def test_the_list_is_a_hundred_different_networks():
    listed = backbone_sweep.entries()
    assert len(listed) == 100
    assert len({json.dumps(entry['backbone']) for entry in listed.values()}) == 100
    assert {'mmdet', 'timm', 'torchvision'} == {name.partition(':')[0] for name in listed}


def test_a_word_that_is_in_no_name_is_refused():
    assert list(chosen(ENTRIES, ['odd'])) == ['odd one'] and chosen(ENTRIES, []) == ENTRIES
    with pytest.raises(UserError, match="'even' is in no name"):
        chosen(ENTRIES, ['even'])


@pytest.mark.slow
@pytest.mark.parametrize('name', backbone_sweep.entries())
def test_every_backbone_of_the_list_is_halved_and_works(name, tmp_path):
    pytest.importorskip('timm')
    entry = {**backbone_sweep.entries()[name], 'peer': False}
    found = Sweep(backbone_sweep.__name__, {name: entry}, tmp_path).run()[name]
    assert verdict(found) in ({ALONE, *NOT_HALVED.get(name, ())}), found


NOT_HALVED = {
    'timm: halonet_h1': (MORE,),  # halo attention fixes the width of its queries
    'mmdet: TridentResNet': (BROKEN,),  # three branches of random weights, one step: not finite
}
"""Networks of which less goes, or that are refused, and which."""
