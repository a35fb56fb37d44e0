"""Whatever wraps the weights of a file, the same network is read."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from rethink_det import UserError
from rethink_det.architecture.checkpoint import Checkpoint, digest
from rethink_det.architecture.state_dicts import AVERAGED, WRAPPERS, fitted, unwrapped

NAMES = ('backbone.conv1.weight', 'neck.model.weight', 'head.fc.bias')
STATE = {name: torch.full((2,), float(number)) for number, name in enumerate(NAMES)}
ZEROS = {name: torch.zeros(2) for name in NAMES}


@given(
    wrappers=st.lists(st.sampled_from(WRAPPERS), max_size=2, unique=True),
    prefix=st.sampled_from(['', 'module.', '_orig_mod.', 'module._orig_mod.', 'model.', 'net.']),
)
def test_wrappers_and_prefixes_make_no_difference(tmp_path, wrappers, prefix):
    content = {prefix + name: tensor for name, tensor in STATE.items()}
    for key in wrappers:
        content = {key: content, 'epoch': 3, 'optimizer': {}}
    torch.save(content, tmp_path / 'file.pth')
    read = Checkpoint.read(tmp_path / 'file.pth')
    assert list(read.weights) == list(STATE) and digest(read.weights) == digest(STATE)
    assert set(read.others) == ({'epoch', 'optimizer'} if wrappers else set())


def test_a_file_of_safetensors_is_read_by_its_content(tmp_path):
    for name in ('weights.safetensors', 'weights.bin'):
        save_file(STATE, tmp_path / name)
        assert digest(Checkpoint.read(tmp_path / name).weights) == digest(STATE)


@pytest.mark.parametrize('content', [b'', b'{}', b'\x02' + b'\0' * 7 + b'{', b'\xff' * 20])
def test_what_is_no_file_of_safetensors_is_refused(tmp_path, content):
    (tmp_path / 'weights.safetensors').write_bytes(content)
    with pytest.raises(UserError, match='weights.safetensors is no checkpoint, or a damaged one'):
        Checkpoint.read(tmp_path / 'weights.safetensors')


def test_beside_what_lightning_calls_model_others_keep_their_names():
    content = {
        'state_dict': {f'model.{n}': t for n, t in STATE.items()} | {'loss.w': ZEROS[NAMES[0]]}
    }
    assert list(Checkpoint.from_dict(content).weights) == [*NAMES, 'loss.w']


def test_two_names_of_one_tensor_are_refused():
    with pytest.raises(UserError, match='odd.pth has the tensor a.b twice, once as module.a.b'):
        unwrapped({'a.b': 1, 'module.a.b': 2}, 'odd.pth')


def test_versions_of_modules_go_along_with_the_names():
    network = torch.nn.Sequential(torch.nn.BatchNorm2d(2))
    wrapped = torch.nn.DataParallel(network).state_dict()
    bare = unwrapped(wrapped)
    assert list(bare) == list(network.state_dict())
    assert bare._metadata['0'] == network.state_dict()._metadata['0']


# -- the names of a network ----------------------------------------------------------------


def test_only_names_that_the_network_lacks_are_changed():
    own = ['model.a', 'b', 'c.d']
    found = fitted({'model.a': 1, 'model.b': 2, 'net.c.module.d': 3, 'model.e': 4}, own)
    assert found == {'model.a': 1, 'b': 2, 'c.d': 3, 'model.e': 4}
    assert fitted({'model.b': 1, 'b': 2}, own) == {'model.b': 1, 'b': 2}


# -- averaged weights ----------------------------------------------------------------------


@pytest.mark.parametrize('key', AVERAGED)
@pytest.mark.parametrize('other', ['state_dict', 'model'])
def test_averaged_weights_are_taken_when_asked_for(key, other):
    averaged = {f'module.{n}': t for n, t in STATE.items()} | {'n_averaged': torch.tensor(5)}
    content = {other: ZEROS, key: averaged}
    assert digest(Checkpoint.from_dict(content, ema=True).weights) == digest(STATE)
    assert digest(Checkpoint.from_dict(content).weights) == digest(ZEROS)


def test_mmengine_has_the_averaged_weights_as_its_own():
    """Its EMAHook swaps them on saving: ``ema_state_dict`` are those before averaging."""
    content = {
        'meta': {'mmengine_version': '0.10.7'},
        'state_dict': STATE,
        'ema_state_dict': {
            'steps': torch.tensor(9),
            **{f'module.{n}': t for n, t in ZEROS.items()},
        },
    }
    assert digest(Checkpoint.from_dict(content, ema=True).weights) == digest(STATE)


@pytest.mark.parametrize(
    'content, ema, message',
    [
        ({'state_dict': STATE}, True, 'a.pth has no averaged weights.*Leave out --ema'),
        (STATE, True, 'a.pth has no averaged weights'),
        ({'state_dict_ema': STATE, 'epoch': 3}, False, 'averaged weights alone.*by --ema'),
    ],
)
def test_averaged_weights_are_never_guessed(content, ema, message):
    with pytest.raises(UserError, match=message):
        Checkpoint.from_dict(content, 'a.pth', ema)
