"""KEY=VALUE on the command line: MMEngine's values, and dicts."""

import argparse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rethink_det.cli.config_options import KeyValues, add_config_options, import_modules
from rethink_det.errors import UserError

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope='module')
def parse():
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_config_options(parser)
    return lambda *texts: parser.parse_args(['--cfg-options', *texts]).cfg_options


@settings(deadline=None)
@given(value=st.dictionaries(st.text(), PLAIN, max_size=3))
def test_any_dict_of_plain_values_is_read_as_it_is_printed(parse, value):
    assert parse(f'a.b={value!r}') == {'a.b': value}


@pytest.mark.parametrize(
    'text, value',
    [
        ("ratios={'layer1.*':0.3, 'layer2.*': 0.5}", {'layer1.*': 0.3, 'layer2.*': 0.5}),
        ("x=[{'a': 1}, {'b': (1, 2)}]", [{'a': 1}, {'b': (1, 2)}]),
        ('x={}', {}),
        ('x=[3, 4]', [3, 4]),
        ('x=3,4', [3, 4]),
        ('x=(64,96)', (64, 96)),
        ('x=1e-3', 0.001),
        ('x=None', None),
        ('x=red,green', ['red', 'green']),
        ('x=a=b', 'a=b'),
        ('x=traffic light', 'traffic light'),
        ('x=traffic light, stop sign', ['traffic light', 'stop sign']),
        ("x=('traffic light',)", ('traffic light',)),
        ('x=[(a b, 1), [c]]', [('a b', 1), ['c']]),
    ],
)  # fmt: skip
def test_values(parse, text, value):
    assert [*parse(text).values()] == [value]


@pytest.mark.parametrize(
    'text, words',
    [
        ('ratios={layer1:0.3}', 'is no Python dict of plain values'),
        ("x={'a': open('b')}", 'is no Python dict of plain values'),
        ("x={'a': 1", 'quoted for a shell'),
        ('x=[1,2', 'Imbalanced brackets'),
        ('x', 'is not KEY=VALUE'),
    ],
)
def test_what_cannot_be_read_is_refused(parse, text, words):
    with pytest.raises(argparse.ArgumentError, match=words):
        parse(text)


def test_a_second_option_adds_to_the_first():
    parser = argparse.ArgumentParser()
    parser.add_argument('--x', nargs='+', action=KeyValues, default={})
    assert parser.parse_args(['--x', 'a=1', '--x', "b={'c': 2}"]).x == {'a': 1, 'b': {'c': 2}}
    assert parser.parse_args([]).x == {}


def test_a_module_that_cannot_be_imported_is_named(tmp_path, monkeypatch):
    with pytest.raises(UserError, match='--imports no_such_module_of_mine: '):
        import_modules(['no_such_module_of_mine'])
    (tmp_path / 'broken_module_of_mine.py').write_text('1 / 0')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match='--imports broken_module_of_mine: .*zero'):
        import_modules(['broken_module_of_mine'])
