"""What JSON holds becomes a dataclass, or is refused with the file, the key and what is valid."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det.errors import UserError
from rethink_det.report.schema import NO_KEY, one_of, read, read_file, read_object


@dataclass(frozen=True)
class Part:
    size: int
    name: str | None = None


@dataclass(frozen=True)
class Whole:
    kind: str = field(metadata=one_of(['big', 'small']))
    rate: float
    done: bool = False
    parts: tuple[Part, ...] = ()
    first: Part | None = None
    table: Mapping[str, float | None] = field(default_factory=dict)
    free: Any = None
    place: str = field(default='', metadata=NO_KEY)


parts = st.builds(Part, st.integers(), st.none() | st.text())
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers()


@given(
    st.builds(
        Whole,
        kind=st.sampled_from(['big', 'small']),
        rate=numbers,
        done=st.booleans(),
        parts=st.lists(parts).map(tuple),
        first=st.none() | parts,
        table=st.dictionaries(st.text(), st.none() | numbers),
    )
)
def test_what_was_written_is_what_is_read(whole):
    content = {key: value for key, value in asdict(whole).items() if key != 'place'}
    assert read(Whole, json.loads(json.dumps(content)), 'file') == whole


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(colour='red'), "file: unknown key 'colour'; valid are kind, rate, done, parts"),
        (dict(place='here'), "unknown key 'place'"),
        (dict(kind='huge'), "'kind' is 'huge', must be one of big, small"),
        (dict(rate='high'), "'rate' is 'high', must be a finite number"),
        (dict(rate=True), "'rate' is True, must be a finite number"),
        (dict(rate=None), "'rate' is None, must be a finite number"),
        (dict(done=1), "'done' is 1, must be true or false"),
        (dict(parts=3), "'parts' is 3, must be a list"),
        (dict(parts=[dict(size=1), dict(size=2.5)]), r"'parts\[1\]\.size' is 2.5, must be a whole"),
        (dict(parts=[7]), r"'parts\[0\]' is 7, must be a dict"),
        (dict(first=dict(name='a')), "'first.size' is missing"),
        (dict(first=dict(size=1, name=2)), "'first.name' is 2, must be a text"),
        (dict(table=[1]), r"'table' is \[1\], must be a dict"),
        (dict(table=dict(a='x')), "'table.a' is 'x', must be a finite number"),
    ],
)
def test_another_content_is_refused_by_key_with_the_remedy(change, message):
    with pytest.raises(UserError, match=f'{message}.*; mend it'):
        read(Whole, dict(kind='big', rate=1) | change, 'file', 'mend it')


@pytest.mark.parametrize('missing', ['kind', 'rate'])
def test_a_key_without_a_default_must_be_there(missing):
    with pytest.raises(UserError, match=f"'{missing}' is missing"):
        read(Whole, {key: v for key, v in dict(kind='big', rate=1).items() if key != missing}, 'f')


def test_a_file_says_its_format_and_version(tmp_path):
    path = tmp_path / 'some.json'
    path.write_text('{"format": "mine", "version": 2, "rate": NaN}')
    assert read_file(path, 'mine', 2, 'mend it') == {'rate': None}
    path.write_text('{"rate": 1}')  # of the time before there were versions
    assert read_file(path, 'mine', 2, 'mend it') == {'rate': 1}


@pytest.mark.parametrize(
    'content, message',
    [
        (b'{"format": "yours", "version": 1}', "'format' is 'yours', must be 'mine'; mend it"),
        (b'{"format": "mine", "version": 3}', "'version' is 3, and this release reads up to 2"),
        (b'{"format": "mine", "version": "new"}', "'version' is 'new'"),
        (b'{"rate": ', 'not valid JSON .*; mend it'),
        (b'[1]', 'holds a list, not an object; mend it'),
        (b'\xff\xfe\x00', 'cannot be read .*; mend it'),
    ],
)
def test_another_file_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / 'some.json'
    path.write_bytes(content)
    with pytest.raises(UserError, match=f'some.json: {message}'):
        read_file(path, 'mine', 2, 'mend it')


@pytest.mark.parametrize('relative', [True, False])
def test_what_the_system_says_of_a_file_is_told_without_its_place(tmp_path, monkeypatch, relative):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'some.json').mkdir()
    path = Path('some.json')
    with pytest.raises(UserError) as refused:
        read_object(path if relative else tmp_path / path, 'mend it')
    place = 'some.json' if relative else str(tmp_path / path)
    assert str(refused.value) == f'{place}: cannot be read (Is a directory); mend it'
