"""Architectures from wherever they are: names, JSON files and checkpoints, each of them checked."""

import json
import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import save_checkpoint


def data_of(cifar, **changes) -> dict:
    return {**cifar().to_dict(), **changes}


def test_it_loads_from_itself_a_dict_and_a_checkpoint(cifar, tmp_path):
    architecture = cifar(channels={'layer1.0.conv1': (1, 3)})
    path = tmp_path / 'model.pth'
    save_checkpoint({'meta': {'architecture': architecture.to_dict()}, 'state_dict': {}}, path)
    assert PrunedArchitecture.load(architecture) is architecture
    assert PrunedArchitecture.load(architecture.to_dict()) == architecture
    assert PrunedArchitecture.load(path) == architecture


@pytest.mark.parametrize(
    'changes, message',
    [
        ({'channels': {'layer9.0.conv1': 2}}, "no layer 'layer9.0.conv1'; it has conv1, layer1.0"),
        ({'channels': {'layer1.0.conv1': 0}}, 'layer1.0.conv1 would keep 0'),
        ({'channels': {'layer1.0.conv1': -2}}, 'layer1.0.conv1 would keep -2'),
        ({'channels': {'layer1.0.conv1': 5}}, 'layer1.0.conv1 would keep 5.* valid are 1 to 4'),
        ({'channels': {'layer1.0.conv1': [0, 4]}}, 'layer1.0.conv1'),
        ({'channels': {'layer1.0.conv1': [2, 1]}}, 'layer1.0.conv1.* must be sorted'),
        ({'channels': {'layer1.0.conv1': [1, 1]}}, 'layer1.0.conv1.* different'),
        ({'channels': {'layer1.0.conv1': [-1, 1]}}, 'layer1.0.conv1.* not negative'),
        ({'channels': {'layer1.0.conv1': []}}, 'layer1.0.conv1 would keep no channel; at least 1'),
        ({'channels': {'layer1.0.conv1': 1.5}}, 'layer1.0.conv1.* a count or a list'),
        ({'channels': {'layer1.0.conv1': True}}, 'layer1.0.conv1.* a count or a list'),
        ({'channels': {'layer1.0.conv1': [False, True]}}, 'layer1.0.conv1.* a count or a list'),
        ({'channels': {'layer1.0.conv1': '3'}}, 'layer1.0.conv1.* a count or a list'),
        ({'channels': [3, 3]}, 'channels must be a dict'),
        ({'selections': {'layer1.0.conv1': 3}}, 'layer1.0.conv1 would read 3; valid is a list'),
        ({'selections': {'layer1.0.conv1': [0, 4]}}, 'read channel 4; valid are 0 to 3'),
        ({'selections': {'layer9.0.conv1': [0]}}, 'layer9.0.conv1 cannot select'),
        ({'removed_blocks': 5}, 'removed_blocks must be a list of names, got 5'),
        ({'removed_blocks': 'layer1.0'}, "removed_blocks must be a list of names, got 'layer1.0'"),
        ({'removed_blocks': ['layer9.0']}, "no residual block 'layer9.0'; it has layer1.0, "),
        ({'masks': {'digest': 'ab'}}, 'masks must have the keys digest and kept'),
        ({'masks': {'digest': 'ab', 'kept': 3}}, 'masks: kept must be a dict by parameter'),
        ({'name': ['mine']}, r"name must be a text, got \['mine'\]"),
        ({'source': None}, 'source must be a text, got None'),
        ({'version': 3}, 'version 3 is unknown.* reads 1 and 2'),
        ({'format': 'other'}, "format is 'other'"),
        ({'widths': {}}, r"unknown keys \['widths'\]"),
        ({'input_shape': [3, 16]}, 'input_shape'),
        ({'input_shape': [3, 16, 0]}, 'input_shape'),
        ({'input_shape': 16}, 'input_shape'),
        ({'backbone': 'resnet'}, 'backbone'),
        ({'backbone': {'depth': 8}}, "needs a 'type'"),
        ({'backbone': {'type': 'rethink_det.CifarResNet', 'depth': 21}}, 'depth must be 6n'),
        ({'backbone': {'type': 'rethink_det.NoSuchNet'}}, 'NoSuchNet'),
        ({'head': None}, 'head'),
    ],
)
def test_a_bad_file_is_refused_by_name(cifar, tmp_path, changes, message):
    path = tmp_path / 'bad.json'
    path.write_text(json.dumps(data_of(cifar, **changes)))
    with pytest.raises(UserError, match=message) as refusal:
        PrunedArchitecture.load(path)
    assert 'bad.json' in str(refusal.value)


@given(
    st.sampled_from(['format', 'version', 'backbone', 'head', 'input_shape', 'channels', 'name']),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=6,
    ),
)
def test_no_value_breaks_the_reader(cifar, field, value):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try:
            architecture = PrunedArchitecture.from_dict(data_of(cifar, **{field: value}))
        except UserError:
            return
    assert PrunedArchitecture.from_dict(architecture.to_dict()) == architecture


def test_what_is_no_architecture_is_refused(cifar, tmp_path):
    with pytest.raises(UserError, match='No architecture .*gone.json'):
        PrunedArchitecture.load(tmp_path / 'gone.json')
    path = tmp_path / 'text.json'
    path.write_text('{"format": ')
    with pytest.raises(UserError, match='text.json is no architecture JSON'):
        PrunedArchitecture.load(path)
    path.write_bytes(b'\xff\xfe\x00')
    with pytest.raises(UserError, match='text.json is no architecture JSON'):
        PrunedArchitecture.load(path)
    path.write_text('[1, 2]')
    with pytest.raises(UserError, match='holds a list'):
        PrunedArchitecture.load(path)
    incomplete = data_of(cifar)
    del incomplete['head']
    with pytest.raises(UserError, match=r"missing keys \['head'\]"):
        PrunedArchitecture.load(incomplete)


def test_a_checkpoint_without_architecture_is_refused(tmp_path):
    torch.save({'state_dict': {'a': torch.zeros(1)}}, tmp_path / 'other.pth')
    with pytest.raises(UserError, match=r"other.pth.*no meta\['architecture'\]"):
        PrunedArchitecture.load(tmp_path / 'other.pth')


@pytest.mark.parametrize('source', [5, None, ['resnet56-a']], ids=str)
def test_a_source_of_no_form_is_refused(source):
    with pytest.raises(UserError, match=f'by name, file, .*, got a {type(source).__name__}'):
        PrunedArchitecture.load(source)


@pytest.mark.parametrize('entry', [3, ['resnet56-a']], ids=str)
def test_a_checkpoint_whose_architecture_is_no_description_is_refused(tmp_path, entry):
    save_checkpoint({'meta': {'architecture': entry}, 'state_dict': {}}, tmp_path / 'a.pth')
    with pytest.raises(UserError, match=r'a.pth: an architecture is a dict, got a'):
        PrunedArchitecture.load(tmp_path / 'a.pth')
