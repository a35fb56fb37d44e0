"""Provenance: a writer says everything, a reader takes what there is, nonsense is refused."""

from dataclasses import fields, replace
from importlib.metadata import version

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det import UserError
from rethink_det.architecture.provenance import Parent, Provenance, versions

text, count = st.none() | st.text(max_size=5), st.none() | st.integers(0, 9)
plain = st.dictionaries(st.text(max_size=3), st.integers() | st.lists(st.booleans()), max_size=2)
parents = st.builds(Parent, text, text, text, count).filter(
    lambda parent: parent != Parent(None, None, None, None)
)
provenances = st.builds(
    Provenance,
    arm=text,
    seed=count,
    data=text,
    versions=st.none() | st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
    config_digest=text,
    parent=st.none() | parents,
    pruner=st.none() | plain,
    inferred=st.none() | st.lists(st.text(max_size=3), max_size=2).map(tuple),
)


@given(provenances)
def test_what_is_written_is_read(provenance):
    entry = provenance.to_dict()
    assert Provenance.from_dict(entry) == provenance
    assert {'arm', 'seed', 'data', 'versions', 'config_digest'} <= set(entry)
    assert {'parent', 'parent_arm', 'parent_digest', 'tensors', 'pruner', 'inferred'} <= set(entry)


@pytest.mark.parametrize('left_out', [field.name for field in fields(Provenance)])
def test_a_writer_cannot_leave_a_field_out(left_out):
    given_fields = {field.name: None for field in fields(Provenance)}
    del given_fields[left_out]
    with pytest.raises(TypeError, match=left_out):
        Provenance(**given_fields)


@pytest.mark.parametrize('entry', [None, {}, {'arm': None, 'of another tool': 3}])
def test_a_file_that_says_nothing_leaves_everything_unknown(entry):
    assert Provenance.from_dict(entry) == Provenance.unknown()


@given(provenances, st.sets(st.sampled_from([field.name for field in fields(Provenance)])))
def test_what_an_older_file_leaves_out_is_unknown(provenance, missing):
    known = replace(provenance, **dict.fromkeys(missing))
    entry = {key: value for key, value in known.to_dict().items() if value is not None}
    assert Provenance.from_dict(entry) == known


def test_a_converted_file_of_before_names_its_source():
    old = {'arm': 'converted', 'source': 'foreign.pth', 'source_digest': 'ab', 'inferred': ['a']}
    provenance = Provenance.from_dict(old)
    assert provenance.parent == Parent('foreign.pth', None, 'ab', None)
    assert provenance.inferred == ('a',)


@pytest.mark.parametrize(
    'entry, message',
    [
        ('unpruned', 'is a str, expected a dict'),
        ({'arm': ['fine-tune']}, r"\['arm'\] makes no sense: \['fine-tune'\]"),
        ({'seed': 'one'}, r"\['seed'\]"),
        ({'parent': 3}, r"\['parent'\]"),
        ({'versions': 'new'}, r"\['versions'\]"),
        ({'inferred': 'much'}, r"\['inferred'\]"),
    ],
)
def test_an_entry_without_sense_is_refused_by_file_and_key(entry, message):
    with pytest.raises(UserError, match=f'odd.pth: meta.*provenance.*{message}'):
        Provenance.from_dict(entry, 'odd.pth')


def test_versions_are_those_of_what_is_installed():
    installed = versions()
    assert installed['torch'] == version('torch')
    assert set(installed) >= {'rethink-det', 'torchvision', 'torch-pruning'}
