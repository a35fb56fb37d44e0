"""``analyze``: exact costs of the published networks, and refusal of what is no architecture."""

import json

import pytest
import torch

from rethink_det.architecture import PrunedArchitecture

# Parameters, MACs and MACs of convolutions, as measured on the networks of the code of
# arXiv 1810.05270 (1x3x32x32 for CIFAR, 1x3x224x224 for ImageNet).
PUBLISHED = {
    'resnet34': (21797672, 3663761408, 3663249408),
    'resnet34-a': (20151764, 3100184576, 3099672576),
    'resnet34-b': (19469372, 2782269440, 2781757440),
    'resnet56': (853018, 125485696, 125485056),
    'resnet56-a': (773336, 112435840, 112435200),
    'resnet56-b': (735712, 90907264, 90906624),
}


@pytest.fixture
def architecture_file(cifar, tmp_path):
    """Writes the JSON of a small architecture, some keys of it changed."""

    def write(**changes):
        data = cifar(channels={'layer1.0.conv1': 2}).to_dict()
        path = tmp_path / 'architecture.json'
        path.write_text(json.dumps({**data, **changes}))
        return path

    return write


@pytest.mark.parametrize('name', PUBLISHED)
def test_cost_of_published_network_is_exact(command, name):
    done = command('analyze', 'cost', name, '--json')
    assert done.status == 0
    cost = json.loads(done.out)
    assert (cost['params'], cost['macs'], cost['macs_conv']) == PUBLISHED[name]
    assert cost['input_shape'] == ([3, 32, 32] if '56' in name else [3, 224, 224])
    assert cost['name'] == name


def test_cost_at_another_input_scales_with_its_area(command):
    small, large = (
        json.loads(command('analyze', 'cost', 'resnet56', '--json', *shape).out)
        for shape in ([], ['--input-shape', 3, 64, 64])
    )
    assert large['macs_conv'] == 4 * small['macs_conv']
    assert large['params'] == small['params']
    assert large['input_shape'] == [3, 64, 64]


def test_cost_as_text_says_what_and_where(command):
    out = command('analyze', 'cost', 'resnet56-a').out
    assert all(text in out for text in ('resnet56-a', 'backbone and head', '3x32x32', '773,336'))


@pytest.mark.parametrize('kind', ['json', 'checkpoint'])
def test_file_and_checkpoint_cost_the_same(command, architecture_file, trained, kind):
    path = architecture_file() if kind == 'json' else trained
    cost = json.loads(command('analyze', 'cost', path, '--json').out)
    network = PrunedArchitecture.load(path).build_network()
    assert cost['params'] == sum(p.numel() for p in network.parameters())


def test_print_shows_every_pruned_layer(command):
    done = command('analyze', 'print', 'resnet34-a')
    assert done.status == 0
    assert 'layer1.1.conv1' in done.out
    assert '44 of 64' in done.out
    data = json.loads(command('analyze', 'print', 'resnet34-a', '--json').out)
    assert PrunedArchitecture.from_dict(data) == PrunedArchitecture.load('resnet34-a')


def test_unknown_name_lists_the_published_ones(refusal):
    message = refusal('analyze', 'cost', 'resnet34-z')
    assert "'resnet34-z'" in message
    assert all(name in message for name in PUBLISHED)


@pytest.mark.parametrize(
    'changes, parts',
    [
        ({'channels': {'layer9.0.conv1': 2}}, ["'layer9.0.conv1'", 'layer1.0.conv1, ']),
        ({'channels': {'layer1.0.conv1': 0}}, ['layer1.0.conv1', 'at least 1']),
        ({'channels': {'layer1.0.conv1': 5}}, ['layer1.0.conv1', '5', '1 to 4']),
        ({'channels': {'layer1.0.conv1': [0, 9]}}, ['layer1.0.conv1', '9', '0 to 3']),
        ({'channels': {'layer1.0.conv1': 'all'}}, ['layer1.0.conv1', "'all'"]),
        ({'channels': [4]}, ['channels']),
        ({'version': 3}, ['version 3', 'reads 1 and 2']),
        ({'version': '1'}, ["version '1'"]),
        ({'format': 'other'}, ["'other'"]),
        ({'input_shape': [3, 16]}, ['input_shape']),
        ({'input_shape': 16}, ['input_shape']),
        ({'width': 1}, ["unknown keys ['width']"]),
        ({'backbone': 'mmdet.ResNet'}, ['backbone']),
        ({'backbone': {'depth': 8}}, ["'type'"]),
        ({'backbone': {'type': 'Nonesuch'}}, ['Nonesuch']),
        ({'backbone': {'type': 'rethink_det.CifarResNet', 'depth': 9}}, ['depth']),
    ],
)
def test_impossible_architecture_names_file_and_reason(refusal, architecture_file, changes, parts):
    path = architecture_file(**changes)
    message = refusal('analyze', 'cost', path)
    assert str(path) in message
    assert all(part in message for part in parts), message


def test_unknown_head_is_refused(refusal, architecture_file):
    assert 'Nonesuch' in refusal('analyze', 'cost', architecture_file(head={'type': 'Nonesuch'}))


@pytest.mark.parametrize('text', ['', '{', '[]', '3', '\x00'])
def test_file_that_is_no_architecture_is_refused(refusal, tmp_path, text):
    path = tmp_path / 'architecture.json'
    path.write_text(text)
    assert f'{path} is no architecture JSON' in refusal('analyze', 'print', path)


def test_bad_checkpoint_is_refused(refusal, bad_checkpoint):
    assert str(bad_checkpoint) in refusal('analyze', 'cost', bad_checkpoint)


def test_checkpoint_of_others_is_refused_with_the_remedy(refusal, tmp_path):
    torch.save({'state_dict': {'fc.weight': torch.zeros(2, 2)}}, tmp_path / 'plain.pth')
    message = refusal('analyze', 'cost', tmp_path / 'plain.pth')
    assert 'does not describe its architecture' in message
    assert 'by name or JSON file' in message


@pytest.mark.parametrize('shape', [('3', '0', '32'), ('3', '-1', '32')])
def test_impossible_input_shape_is_refused(refusal, shape):
    assert 'input_shape' in refusal('analyze', 'cost', 'resnet56', '--input-shape', *shape)


def test_input_of_other_channels_is_refused(refusal):
    assert refusal('analyze', 'cost', 'resnet56', '--input-shape', 1, 32, 32)


def test_unknown_command_and_question_are_refused(command):
    for arguments in (['analyse'], ['analyze', 'weigh', 'resnet56'], ['analyze', 'cost'], []):
        assert command(*arguments).status == 2
