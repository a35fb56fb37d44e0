"""A study and its variants by name: of shipped ones, of one's own, and refusals."""

from pathlib import Path

import pytest

from rethink_det.errors import UserError
from rethink_det.study.config import Study
from rethink_det.study.graph import runs_of
from rethink_det.study.names import find_study, variants_in
from rethink_det.training.config import shipped_configs

TEXT = """study = dict(seeds=[0], classification=dict(
    config='net.py',
    pruners={name: dict(type='L1NormPruner', ratios=0.5) for name in ('l1-a', 'l1-b', 'l1')},
    variants={'lottery-l1-a': dict(pruner=dict(type='L1NormPruner', ratios=0.5))},
))"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with studies of one network, and one without variants."""
    (tmp_path / 'net.py').write_text('train_cfg = dict(max_epochs=1)')
    for name in ('x_net', 'x_net_small-lr'):
        (tmp_path / f'{name}.py').write_text(TEXT)
    (tmp_path / 'plain.py').write_text(
        "study = dict(seeds=[0], classification=dict(config='net.py',"
        " pruner=dict(type='L1NormPruner', ratios=0.5)))"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def curves(tiny_config, tmp_path, monkeypatch):
    """A folder with studies whose variants follow from ratios and controls."""
    tiny_config(epochs=1).dump(tmp_path / 'net.py')
    l1 = dict(type='L1NormPruner')
    parts = dict(
        curve=dict(pruner=l1, ratios=[0.3, 0.5], controls=True),
        several=dict(
            variants=dict(a=dict(pruner=l1, controls=True), b=dict(pruner=l1)), ratios=[0.25]
        ),
        beside=dict(pruners=dict(a=dict(type='NetworkSlimmingPruner', ratio=0.5)), controls=True),
    )
    for name, part in parts.items():
        study = dict(seeds=[0], classification=dict(config='net.py') | part)
        (tmp_path / f'{name}.py').write_text(f'study = {study!r}')
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    'name, file, variants',
    [
        ('x_net.py', 'x_net.py', ()),
        ('x_net_l1-a.py', 'x_net.py', ('l1-a',)),
        ('x_net_l1.py', 'x_net.py', ('l1',)),  # whole names go first
        ('x_net_lottery.py', 'x_net.py', ('lottery-l1-a',)),
        ('x_net_lottery-l1-a_small-lr.py', 'x_net_small-lr.py', ('lottery-l1-a',)),
        ('./x_net-l1-b.py', './x_net.py', ('l1-b',)),
    ],
)
def test_a_variant_stands_in_the_name_of_its_study(folder, name, file, variants):
    path, chosen = find_study(name)
    assert (Path(path), chosen) == (Path(file), variants)


def test_a_whole_path_is_taken_too(folder):
    assert find_study(str(folder / 'x_net_l1-a.py')) == (str(folder / 'x_net.py'), ('l1-a',))


def test_a_file_of_that_name_goes_first(folder):
    (folder / 'x_net_l1-a.py').touch()
    assert find_study('x_net_l1-a.py') == ('x_net_l1-a.py', ())


def test_a_shipped_study_is_found_by_its_bare_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    studies = shipped_configs() / 'studies'
    assert find_study('demo') == (str(studies / 'demo.py'), ())
    assert find_study('cifar10_small_l1norm-30') == (
        str(studies / 'cifar10_small.py'),
        ('l1norm-30',),
    )
    assert find_study('cifar10_small_l1norm')[1] == ('l1norm-30', 'l1norm-60')


def test_a_study_read_by_the_name_of_a_variant_has_that_variant_alone(folder):
    study = Study.load('x_net_l1-a.py')
    assert (study.name, study.title) == ('x_net', 'x_net: l1-a')
    assert runs_of(study) == runs_of(Study.load('x_net.py', variants=['l1-a']))


@pytest.mark.parametrize(
    'name, variants',
    [
        ('curve_l1norm-0.3', ('l1norm-0.3',)),
        ('curve_l1norm-0.3-random', ('l1norm-0.3', 'l1norm-0.3-random')),
        ('curve_l1norm-0.5', ('l1norm-0.5',)),
        ('curve_l1norm', ('l1norm-0.3', 'l1norm-0.3-random', 'l1norm-0.5', 'l1norm-0.5-random')),
        ('several_a', ('a-0.25', 'a-0.25-random')),
        ('several_b-0.25', ('b-0.25',)),
        ('beside_a', ('a',)),
        ('beside_a-random', ('a', 'a-random')),
    ],
)
def test_variants_that_are_not_spelled_out_stand_in_the_name_as_well(curves, name, variants):
    assert find_study(f'{name}.py') == (f'{name.partition("_")[0]}.py', variants)
    assert Study.load(f'{name}.py').classification.variant_names == variants


def test_they_may_follow_from_options(curves):
    options = {'study.classification.ratios': [0.7]}
    study = Study.load('curve_l1norm-0.7.py', options)
    assert study.classification.variant_names == ('l1norm-0.7',)
    with pytest.raises(UserError, match="curve.py has no variant 'l1norm-0.3': l1norm-0.7, "):
        Study.load('curve_l1norm-0.3.py', options)
    with pytest.raises(UserError, match="has no variant 'l1norm-0.7': l1norm-0.3, l1norm-0.3-ran"):
        find_study('curve_l1norm-0.7.py')


def test_variants_are_read_from_the_file(folder):
    assert variants_in('x_net.py') == ['l1-a', 'l1-b', 'l1', 'lottery-l1-a']
    assert variants_in('plain.py') == variants_in('net.py') == []


@pytest.mark.parametrize(
    'name, words',
    [
        ('x_net_l1-c.py', "x_net.py has no variant 'c?l?1?-?c': l1-a, l1-b, l1, lottery-l1-a"),
        ('x_net_l2.py', "x_net.py has no variant 'l2': l1-a"),
        ('plain_l1.py', 'plain_l1.py does not exist. Shipped'),
        ('nothing.py', 'nothing.py does not exist'),
        ('demo_l1', 'demo_l1 does not exist. Did you mean demo'),
    ],
)
def test_a_name_that_means_nothing_is_refused(folder, name, words):
    with pytest.raises(UserError, match=words):
        find_study(name)
