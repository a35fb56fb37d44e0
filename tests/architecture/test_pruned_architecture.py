"""An architecture is a value: comparable, printable, a JSON file that is checked."""

import json
import pickle
from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmengine.config import Config

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture

WIDTHS = {'conv1': 4} | {
    f'layer{stage}.0.conv{conv}': 2 ** (stage + 1) for stage in (1, 2, 3) for conv in (1, 2)
}

DIGESTS = {
    'resnet56-a': 'aef69d53de050eee',
    'vgg16-a': 'f5426be79621b495',
    'resnet50-thinet-50': '0ea4fbd6cb3cf358',
    'resnet26-sss': 'affcf2b586df0e33',
    'preresnet110': 'e264b5a7118c8209',
    'densenet-bc-100': '0642cb8ad790323e',
    'resnet34-b': 'c9c2cde61350c7d6',
}
"""Of published architectures; the identity of runs of studies depends on them."""


@st.composite
def channels(draw) -> dict:
    """Anything the JSON allows: counts or sorted indices, of any layers."""

    def kept(width):
        indices = st.sets(st.integers(0, width - 1), min_size=1).map(lambda s: tuple(sorted(s)))
        return st.integers(1, width) | indices

    layers = draw(st.lists(st.sampled_from(sorted(WIDTHS)), unique=True))
    return {layer: draw(kept(WIDTHS[layer])) for layer in layers}


@given(channels())
def test_json_and_back_is_the_same_value(cifar, tmp_path, kept):
    architecture = cifar(channels=kept, name='mine', source='a test')
    assert PrunedArchitecture.from_dict(json.loads(json.dumps(architecture.to_dict()))) == (
        architecture
    )
    architecture.save(tmp_path / 'mine.json')
    loaded = PrunedArchitecture.load(tmp_path / 'mine.json')
    assert loaded == architecture and hash(loaded) == hash(architecture)
    assert (loaded.digest, loaded.name, loaded.source) == (architecture.digest, 'mine', 'a test')


@given(channels(), channels())
def test_equal_means_no_difference_and_the_same_digest(cifar, first, second):
    one, other = cifar(channels=first), cifar(channels=second, name='other')
    assert (one == other) == (first == second)
    assert (one.diff(other) == []) == (one == other)
    assert (one.digest == other.digest) == (one == other)


# -- a value -------------------------------------------------------------------------------


def everything(cifar) -> PrunedArchitecture:
    """An architecture with something in every field."""
    backbone = dict(type='rethink_det.CifarResNet', depth=14, base_channels=4, shortcut='avgpool')
    return PrunedArchitecture(
        {**backbone, 'note': {'nested': [1, {'deep': 2}]}},
        dict(type='rethink_det.LinearHead', num_classes=3),
        (3, 16, 16),
        channels={'layer1.0.conv1': (1, 3), 'layer2.0.conv1': 5},
        selections={'layer1.1.conv1': (0, 2)},
        removed_blocks=('layer3.1',),
        masks={'digest': 'ab', 'kept': {'backbone.conv1.weight': 7}},
        name='mine',
        source='a test',
    )


CHANGES = {
    'a width': lambda a: a.channels.__setitem__('layer1.0.conv1', 1),
    'an index': lambda a: a.channels['layer1.0.conv1'].__setitem__(0, 0),
    'no layer': lambda a: a.channels.__delitem__('layer1.0.conv1'),
    'new layers': lambda a: a.channels.update({'conv1': 1}),
    'a selection': lambda a: a.selections.__setitem__('layer1.1.conv1', (0,)),
    'a block': lambda a: a.removed_blocks.append('layer3.2'),
    'a mask': lambda a: a.masks.__setitem__('digest', 'cd'),
    'a count': lambda a: a.masks['kept'].__setitem__('backbone.conv1.weight', 1),
    'a setting': lambda a: a.backbone.__setitem__('depth', 20),
    'a nested setting': lambda a: a.backbone['note'].__setitem__('nested', 1),
    'a list in one': lambda a: a.backbone['note']['nested'].append(3),
    'a dict in that': lambda a: a.backbone['note']['nested'][1].__setitem__('deep', 3),
    'classes': lambda a: a.head.pop('num_classes'),
    'a field': lambda a: setattr(a, 'channels', {}),
    'the name': lambda a: setattr(a, 'name', 'yours'),
}


@pytest.mark.parametrize('change', CHANGES.values(), ids=CHANGES)
def test_nothing_of_it_can_be_changed(cifar, change):
    architecture = everything(cifar)
    before = architecture.to_dict(), hash(architecture), architecture.digest
    with pytest.raises((TypeError, AttributeError)):
        change(architecture)
    assert (architecture.to_dict(), hash(architecture), architecture.digest) == before


def test_nor_can_what_it_computed_be_changed(cifar):
    with pytest.raises(TypeError, match='item assignment'):
        cifar().widths['conv1'] = 1
    architecture = cifar(channels={'layer1.0.conv1': 2})
    architecture.skeleton().backbone.layer1[0].conv1.out_channels = 7
    assert architecture.skeleton().backbone.layer1[0].conv1.out_channels == 2
    assert architecture.base.widths == WIDTHS


def test_what_it_was_made_of_is_copied(cifar):
    kept, config = {'layer1.0.conv1': [1, 3]}, cifar().to_dict()['backbone']
    architecture = PrunedArchitecture(config, cifar().head, [3, 16, 16], kept)
    digest = architecture.digest
    kept['layer1.0.conv1'].append(2)
    config['depth'] = 20
    assert architecture.digest == digest and architecture.channels['layer1.0.conv1'] == (1, 3)


def test_its_dictionary_is_fresh_each_time(cifar):
    architecture = everything(cifar)
    mine = architecture.to_dict()
    mine['backbone']['note']['nested'].append(3)
    mine['channels'].clear()
    assert architecture.to_dict() == everything(cifar).to_dict() != mine


@given(channels())
def test_pickles_and_copies_are_the_same_value(cifar, kept):
    architecture = cifar(channels=kept, name='mine', masks={'digest': 'ab', 'kept': {'a': 1}})
    assert architecture.widths == WIDTHS  # what was computed goes along
    for other in (pickle.loads(pickle.dumps(architecture)), deepcopy(architecture)):
        assert other == architecture and hash(other) == hash(architecture)
        assert json.dumps(other.to_dict()) == json.dumps(architecture.to_dict())
        with pytest.raises(TypeError, match='item assignment'):
            other.channels['conv1'] = 1


def test_it_is_a_key(cifar):
    seen = {cifar(channels={'conv1': 2}): 'narrow', cifar(): 'whole'}
    assert seen[cifar(channels={'conv1': 2}, name='mine')] == 'narrow'
    assert seen[cifar(channels={'conv1': 2}).base] == 'whole'


def test_it_goes_through_a_config(cifar):
    architecture = everything(cifar)
    config = Config(dict(model=dict(backbone=dict(architecture=architecture))))
    assert deepcopy(config).model.backbone.architecture == architecture


def test_another_is_made_by_replace(cifar):
    architecture = everything(cifar)
    other = replace(architecture, channels={'conv1': [0, 1]}, name='yours')
    assert other.channels == {'conv1': (0, 1)} and other.selections == architecture.selections
    assert architecture == everything(cifar) != other
    with pytest.raises(UserError, match='layer conv1 would keep 0 channels'):
        replace(architecture, channels={'conv1': 0})


def test_digests_are_those_of_earlier_releases():
    digests = {name: PrunedArchitecture.load(name).digest for name in DIGESTS}
    assert digests == DIGESTS


def test_name_and_source_are_not_compared(cifar):
    plain, named = cifar(), cifar(name='mine', source='a test')
    assert plain == named and plain.digest == named.digest and hash(plain) == hash(named)


def test_the_order_of_layers_is_not_compared(cifar):
    kept = {'layer1.0.conv1': 2, 'layer2.0.conv1': (0, 3)}
    one, other = cifar(channels=kept), cifar(channels=dict(reversed(kept.items())))
    assert one == other and one.digest == other.digest


def test_training_settings_are_no_part_of_it():
    def spec(**settings):
        backbone = dict(type='mmdet.ResNet', depth=18, **settings)
        head = dict(type='rethink_det.LinearHead', num_classes=2)
        return PrunedArchitecture(backbone, head, (3, 32, 32))

    dressed = spec(frozen_stages=1, norm_eval=True, with_cp=True, out_indices=(3,), init_cfg=None)
    assert dressed == spec() and dressed.digest == spec().digest
    assert spec(base_channels=32) != spec()


def test_shape_drops_the_indices_and_base_everything(cifar):
    architecture = cifar(channels={'layer1.0.conv1': (1, 3), 'layer2.0.conv1': 5}, name='mine')
    assert architecture.shape().channels == {'layer1.0.conv1': 2, 'layer2.0.conv1': 5}
    assert architecture.base == cifar()
    assert architecture.widths == WIDTHS
