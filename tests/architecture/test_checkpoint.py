"""Checkpoints: read without running code, written whole or not at all, known by a digest."""

import io
import pickle
from dataclasses import FrozenInstanceError, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture, weight_masks
from rethink_det.architecture.checkpoint import (
    Checkpoint,
    digest,
    load_checkpoint,
    save_checkpoint,
)
from rethink_det.architecture.fitting import load_exactly
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.architecture.provenance import Parent, Provenance
from tests.architecture.test_provenance import provenances
from tests.checkpoints import unpack_legacy

TENSORS = {'conv1.weight': torch.arange(6.0).reshape(2, 3), 'bn1.steps': torch.tensor(7)}


class Trap:
    """Unpickling it creates a file."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def old_format(content, path):
    torch.save(content, path, _use_new_zipfile_serialization=False)


def bare_pickle(content, path):
    Path(path).write_bytes(pickle.dumps(content))


# -- reading -------------------------------------------------------------------------------


@pytest.mark.parametrize('save', [save_checkpoint, old_format], ids=['zip', 'old'])
def test_tensors_and_plain_values_come_back(tmp_path, save):
    content = {'state_dict': TENSORS, 'meta': {'epoch': 3, 'names': ['a', None], 'lr': 0.1}}
    save(content, tmp_path / 'model.pth')
    loaded = load_checkpoint(tmp_path / 'model.pth')
    assert loaded['meta'] == content['meta']
    assert digest(loaded['state_dict']) == digest(TENSORS)


@pytest.mark.parametrize('save', [torch.save, old_format, bare_pickle], ids=['zip', 'old', 'bare'])
def test_code_in_a_checkpoint_is_refused_and_not_run(tmp_path, monkeypatch, save):
    monkeypatch.delenv('TORCH_FORCE_WEIGHTS_ONLY_LOAD', raising=False)  # a command sets it
    mark = tmp_path / 'the code ran'
    path = tmp_path / 'evil.pth'
    save({'state_dict': TENSORS if save is not bare_pickle else {}, 'meta': Trap(mark)}, path)
    with pytest.raises(UserError, match='evil.pth needs code to load'):
        load_checkpoint(path)
    assert not mark.exists()
    torch.load(path, weights_only=False) if save is not bare_pickle else pickle.loads(
        path.read_bytes()
    )
    assert mark.exists(), 'the trap is a dud'


@pytest.mark.parametrize('save', [torch.save, old_format], ids=['zip', 'old'])
@pytest.mark.parametrize(
    'thing, refused', [(Fraction(1, 3), 'fractions'), (np.random.default_rng(0), 'numpy.random')]
)
def test_other_objects_are_refused_by_name_with_a_remedy(tmp_path, save, thing, refused):
    save({'state_dict': TENSORS, 'meta': thing}, tmp_path / 'odd.pth')
    with pytest.raises(UserError, match=f'{refused}.* was refused.*weights_only=False'):
        load_checkpoint(tmp_path / 'odd.pth')


@pytest.mark.parametrize(
    'content',
    [b'', b'hello, I am text\n', b'{"format": 1}', b'PK\x03\x04 not a zip', bytes(range(256))],
)
def test_what_is_no_checkpoint_is_refused(tmp_path, content):
    (tmp_path / 'junk.pth').write_bytes(content)
    with pytest.raises(UserError, match='junk.pth is no checkpoint, or a damaged one'):
        load_checkpoint(tmp_path / 'junk.pth')


@given(st.binary(max_size=40))
def test_no_bytes_break_the_reader(tmp_path, content):
    (tmp_path / 'junk.pth').write_bytes(content)
    with pytest.raises(UserError, match='junk.pth'):
        load_checkpoint(tmp_path / 'junk.pth')


@pytest.mark.parametrize('save', [torch.save, old_format], ids=['zip', 'old'])
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_refused_wherever_it_breaks(tmp_path, save, share):
    buffer = io.BytesIO()
    save({'state_dict': TENSORS, 'meta': {'epoch': 3}}, buffer)
    content = buffer.getvalue()
    (tmp_path / 'half.pth').write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UserError, match='half.pth'):
        load_checkpoint(tmp_path / 'half.pth')


@given(place=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
def test_a_damaged_byte_gives_tensors_or_a_refusal(tmp_path, place, value):
    buffer = io.BytesIO()
    old_format({'state_dict': TENSORS, 'meta': {'epoch': 3}}, buffer)
    content = bytearray(buffer.getvalue())
    content[int(len(content) * place)] = value
    (tmp_path / 'bad.pth').write_bytes(content)
    try:
        assert isinstance(load_checkpoint(tmp_path / 'bad.pth'), dict)
    except UserError as error:
        assert 'bad.pth' in str(error)


def test_a_missing_file_and_another_object_are_refused(tmp_path):
    with pytest.raises(UserError, match='gone.pth does not exist'):
        load_checkpoint(tmp_path / 'gone.pth')
    with pytest.raises(UserError, match='does not exist'):
        load_checkpoint(tmp_path)
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(UserError, match='list.pth holds a list'):
        load_checkpoint(tmp_path / 'list.pth')


# -- names ---------------------------------------------------------------------------------


@pytest.mark.parametrize('head', ['fc', 'linear'])
@pytest.mark.parametrize('prefix', ['', 'module.'])
@pytest.mark.parametrize('wrapped', [False, True])
def test_names_of_a_plain_classifier_become_ours(head, prefix, wrapped):
    state = {
        f'{prefix}{name}': TENSORS['conv1.weight'] for name in ('conv1.weight', f'{head}.bias')
    }
    found = Checkpoint.from_dict({'state_dict': state, 'best': 0.9} if wrapped else state).weights
    assert list(found) == ['backbone.conv1.weight', 'head.fc.bias']
    assert found['head.fc.bias'] is TENSORS['conv1.weight']


@pytest.mark.parametrize('prefix', ['', 'module.'])
def test_names_of_a_vgg_become_ours(prefix):
    names = ['features.0.weight', 'classifier.0.weight', 'classifier.6.bias']
    found = Checkpoint.from_dict({prefix + n: torch.zeros(1) for n in names}).weights
    assert list(found) == [
        'backbone.features.0.weight', 'head.classifier.0.weight', 'head.classifier.6.bias'
    ]  # fmt: skip


@pytest.mark.parametrize('prefix', ['', 'module.'])
def test_our_own_names_stay(prefix):
    names = ['backbone.conv1.weight', 'head.fc.bias', 'neck.linear.weight']
    found = Checkpoint.from_dict(
        {'state_dict': {prefix + n: torch.zeros(1) for n in names}}
    ).weights
    assert list(found) == names


def test_what_is_no_tensor_is_left_out():
    found = Checkpoint.from_dict({'conv1.weight': torch.zeros(1), 'epoch': 3}).weights
    assert list(found) == ['backbone.conv1.weight']


@pytest.mark.parametrize(
    'checkpoint',
    [{}, {'state_dict': {}}, {'state_dict': {'epoch': 3}}, {'state_dict': [1]}, {'meta': {}}],
)
def test_a_checkpoint_without_tensors_is_refused(checkpoint):
    with pytest.raises(UserError, match="somewhere.pth holds no tensors: expected a 'state_dict'"):
        _ = Checkpoint.from_dict(checkpoint, 'somewhere.pth').weights


# -- a checkpoint as a value ---------------------------------------------------------------

names = st.text('abc.', min_size=1, max_size=4)
tensors = st.dictionaries(names, st.integers(0, 5).map(lambda n: torch.arange(n + 1.0)), min_size=1)
masks = st.dictionaries(names, st.lists(st.booleans(), max_size=9).map(torch.tensor), max_size=2)
conventions = st.sampled_from([None, InputConvention('bgr', (1.0, 2.5, 3.0), (4.0, 5.0, 6.0))])
descriptions = st.none() | st.dictionaries(names, st.integers(), max_size=2)
others = st.fixed_dictionaries(
    {}, optional={'optimizer': st.integers(), 'meta': st.dictionaries(st.just('epoch'), st.just(3))}
)


@given(tensors, descriptions, provenances, conventions, masks, st.none() | tensors, others)
def test_what_is_written_is_read(
    tmp_path, state, description, provenance, convention, masks, initial, others
):
    written = Checkpoint(
        state_dict=state,
        architecture=description,
        provenance=provenance,
        input_convention=convention,
        masks={name: mask.bool() for name, mask in masks.items()},
        initial=initial,
        others=others,
    )
    path = tmp_path / 'new' / 'model.pth'
    written.write(path)
    read = Checkpoint.read(path)
    assert read.path == str(path)
    assert read.digest == written.digest
    for name in ('architecture', 'provenance', 'input_convention'):
        assert getattr(read, name) == getattr(written, name), name
    assert (read.initial is None) == (initial is None)
    assert read.others == {'meta': {}, **others}
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize('field', ['state_dict', 'architecture', 'provenance', 'input_convention'])
def test_a_writer_says_what_every_file_says(field):
    entries = dict(
        state_dict=TENSORS, architecture=None, provenance=Provenance.unknown(),
        input_convention=None,
    )  # fmt: skip
    del entries[field]
    with pytest.raises(TypeError, match=field):
        Checkpoint(**entries)


def test_a_checkpoint_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        Checkpoint.from_dict(TENSORS).provenance = Provenance.unknown()


def test_what_is_mmengines_stays_as_it_is():
    """The description goes into the dict that MMEngine is about to write."""
    hub, state = object(), dict(TENSORS)
    content = {'meta': {'epoch': 3}, 'state_dict': state, 'message_hub': hub}
    again = replace(Checkpoint.from_dict(content), architecture={'a': 1}).to_dict()
    assert again['message_hub'] is hub and again['state_dict'] is state
    assert again['meta']['epoch'] == 3 and again['meta']['architecture'] == {'a': 1}
    assert set(again) == {'meta', 'state_dict', 'message_hub'}


def test_a_ticket_has_the_names_of_the_weights_and_a_checkpoint_without_is_refused():
    ticket = {'module.conv1.weight': TENSORS['conv1.weight']}
    content = {'state_dict': TENSORS, 'initial': ticket}
    assert list(Checkpoint.from_dict(content).ticket) == ['backbone.conv1.weight']
    with pytest.raises(UserError, match='any.pth has no lottery ticket.*--initial'):
        _ = Checkpoint.from_dict({'state_dict': TENSORS}, 'any.pth').ticket


def test_a_parent_is_named_by_file_arm_and_digest():
    content = {'state_dict': TENSORS, 'meta': {'provenance': {'arm': 'fine-tune'}}}
    checkpoint = Checkpoint.from_dict(content, '/home/someone/epoch_3.pth')
    whole = checkpoint.as_parent()
    assert whole == Parent('epoch_3.pth', 'fine-tune', digest(checkpoint.weights), 2)
    one = {'conv1.weight': TENSORS['conv1.weight']}
    assert checkpoint.as_parent(one) == replace(whole, digest=digest(one), tensors=1)


@pytest.mark.parametrize(
    'content, message',
    [
        ({'meta': {'provenance': 3}}, 'provenance'),
        ({'meta': {'input_convention': 'rgb'}}, 'input_convention.*expected channels'),
        ({'masks': [1]}, 'Packed masks are a dict'),
    ],
)
def test_entries_without_sense_are_refused_by_file(tmp_path, content, message):
    torch.save({'state_dict': TENSORS, **content}, tmp_path / 'odd.pth')
    with pytest.raises(UserError, match=f'odd.pth.*{message}'):
        Checkpoint.read(tmp_path / 'odd.pth')


# -- files of before -----------------------------------------------------------------------


@pytest.mark.parametrize(
    'name, arm, parent, seed',
    [
        ('trained', None, None, 1),
        ('initial', 'initial', None, 1),
        ('pruned', 'pruned', 'trained/epoch_1.pth', None),
        ('masked', 'pruned', 'trained/epoch_1.pth', None),
        ('fine-tune', 'fine-tune', 'pruned.pth', 1),
        ('scratch-e', None, None, 1),
        ('converted', 'converted', 'foreign.pth', None),
        ('detector', 'unpruned', 'resnet/epoch_1.pth', 0),
        ('pruned-detector', 'pruned', 'detector/epoch_1.pth', None),
    ],
)
def test_an_older_file_says_what_it_knows(tmp_path, name, arm, parent, seed):
    checkpoint = Checkpoint.read(unpack_legacy(name, tmp_path))
    provenance = checkpoint.provenance
    assert (provenance.arm, provenance.seed) == (arm, seed)
    assert (provenance.parent and provenance.parent.name) == parent
    architecture = PrunedArchitecture.load(checkpoint)
    assert PrunedArchitecture.load(checkpoint.path) == architecture
    described = architecture.masks.get('digest')
    assert described == (weight_masks.digest(checkpoint.masks) if checkpoint.masks else None)
    assert (checkpoint.initial is not None) == (name in ('pruned', 'masked'))
    assert (checkpoint.input_convention is None) == (name == 'initial')


@pytest.mark.parametrize('name', ['trained', 'initial', 'pruned', 'masked', 'fine-tune'])
def test_the_weights_of_an_older_file_fill_its_network(tmp_path, name):
    checkpoint = Checkpoint.read(unpack_legacy(name, tmp_path))
    network = PrunedArchitecture.load(checkpoint).network_with(checkpoint.weights)
    assert digest(network.state_dict()) == digest(checkpoint.state_dict)
    if checkpoint.initial is not None:
        load_exactly(network, checkpoint.ticket)


def test_older_files_know_each_other(tmp_path):
    """Digests are what they were, so that a chain of files can be followed."""
    files = {name: Checkpoint.read(unpack_legacy(name, tmp_path)) for name in
             ('trained', 'pruned', 'fine-tune', 'detector', 'pruned-detector')}  # fmt: skip
    for child, parent in [
        ('pruned', 'trained'), ('fine-tune', 'pruned'), ('pruned-detector', 'detector')
    ]:  # fmt: skip
        assert files[child].provenance.parent.digest == files[parent].as_parent().digest


# -- loading into a network ----------------------------------------------------------------


def norm_net() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1), torch.nn.BatchNorm2d(2))


def test_all_tensors_go_in_and_old_ones_need_no_batch_count():
    source, target = norm_net(), norm_net()
    torch.nn.init.normal_(source[1].running_mean)
    state = {n: t for n, t in source.state_dict().items() if n != '1.num_batches_tracked'}
    load_exactly(target, state)
    assert digest(target.state_dict()) == digest(source.state_dict())


@pytest.mark.parametrize(
    'changes, message',
    [
        ({'0.bias': None}, 'has no 0.bias'),
        ({'1.running_var': None}, 'has no 1.running_var'),
        ({'0.weight': torch.zeros(2, 3)}, r'0.weight is \(2, 3\) there, \(2, 3, 1, 1\) here'),
        ({'2.num_batches_tracked': torch.tensor(0)}, 'it has 2.num_batches_tracked besides'),
    ],
)
def test_another_networks_tensors_are_refused_and_nothing_is_loaded(changes, message):
    network = norm_net()
    before = digest(network.state_dict())
    state = {n: t + 1 for n, t in network.state_dict().items()} | changes
    with pytest.raises(UserError, match=message):
        load_exactly(network, {n: t for n, t in state.items() if t is not None})
    assert digest(network.state_dict()) == before


# -- writing -------------------------------------------------------------------------------


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / 'model.pth'
    save_checkpoint({'state_dict': TENSORS}, path)
    before = path.read_bytes()
    with pytest.raises((pickle.PicklingError, AttributeError)):
        save_checkpoint({'state_dict': TENSORS, 'meta': lambda: None}, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_writing_makes_folders_and_replaces(tmp_path):
    path = tmp_path / 'a' / 'b' / 'model.pth'
    for epoch in (1, 2):
        save_checkpoint({'state_dict': TENSORS, 'meta': {'epoch': epoch}}, path)
    assert load_checkpoint(path)['meta'] == {'epoch': 2}
    assert list(path.parent.iterdir()) == [path]


# -- digest --------------------------------------------------------------------------------

STATE = {
    'weight': torch.arange(12.0).reshape(3, 4),
    'count': torch.tensor(3),
    'none': torch.zeros(0, 2),
    'flag': torch.tensor([True, False]),
    'half': torch.tensor([1.5], dtype=torch.bfloat16),
}


@given(st.permutations(sorted(STATE)))
def test_the_digest_does_not_depend_on_order_or_memory_layout(names):
    shuffled = {name: STATE[name].clone() for name in names}
    shuffled['weight'] = STATE['weight'].t().contiguous().t().requires_grad_()
    assert digest(shuffled) == digest(STATE)
    assert len(digest(STATE)) == 16 and int(digest(STATE), 16) >= 0


@pytest.mark.parametrize(
    'changes',
    [
        {'weight': STATE['weight'] + 1e-6 * (STATE['weight'] == 0)},
        {'weight': STATE['weight'].double()},
        {'weight': STATE['weight'].reshape(4, 3)},
        {'weight': STATE['weight'].flatten()},
        {'count': torch.tensor([3])},
        {'count': torch.tensor(4)},
        {'none': torch.zeros(0, 3)},
        {'more': torch.zeros(0)},
    ],
)
def test_the_digest_depends_on_values_types_and_shapes(changes):
    assert digest(STATE | changes) != digest(STATE)


def test_the_digest_depends_on_names():
    renamed = {('weights' if name == 'weight' else name): t for name, t in STATE.items()}
    assert digest(renamed) != digest(STATE)
    one, other = torch.zeros(2), torch.ones(2)
    assert digest({'a': one, 'b': other}) != digest({'a': other, 'b': one})


@pytest.mark.parametrize('meta', [[1], 'epoch 3', 3], ids=str)
def test_meta_that_is_no_dict_is_refused_by_file(meta):
    with pytest.raises(UserError, match='some.pth: meta is a (list|str|int), expected a dict'):
        Checkpoint.from_dict({'meta': meta, 'state_dict': TENSORS}, 'some.pth')
