"""Pruned classifiers as plain timm code: what is written needs no package but timm."""

import subprocess
import sys

import pytest
import torch

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import load_checkpoint
from rethink_det.convert import convert_checkpoint
from rethink_det.convert.foreign_models import named
from rethink_det.export import export_timm
from rethink_det.pruning import prune
from tests.checkpoints import checkpoint

timm = pytest.importorskip('timm')

PLAIN = """
import sys
sys.modules['rethink_det'] = None  # nothing can import it
import torch
sys.path.insert(0, sys.argv[1])
import small
images = torch.load(sys.argv[2])
with torch.no_grad():
    torch.save(small.create_model()(images), sys.argv[3])
"""
NETWORKS = (
    'test_resnet',
    pytest.param('mobilenetv3_small_050', marks=pytest.mark.slow),
    pytest.param('shvit_s1', marks=pytest.mark.slow),  # BatchNorm in the head
    pytest.param('swiftformer_xs', marks=pytest.mark.slow),  # a pair
    pytest.param('regnety_002', marks=pytest.mark.slow),
    pytest.param('dla46x_c', marks=pytest.mark.slow),
    pytest.param('convnext_atto', marks=pytest.mark.slow),
    pytest.param('levit_128s', marks=pytest.mark.slow),
)


def converted(name, tmp_path, unsettle):
    torch.manual_seed(0)
    network = unsettle(timm.create_model(name, num_classes=5))
    torch.save(network.state_dict(), tmp_path / 'foreign.pth')
    return convert_checkpoint(tmp_path / 'foreign.pth', f'timm.{name}')


@pytest.fixture
def pruned(tmp_path, unsettle):
    """Makes a checkpoint of a pruned network of timm, and gives its scores of some images."""

    def make(name, **settings):
        parent = converted(name, tmp_path, unsettle)
        network = parent.architecture.network_with(parent.state_dict)
        pruner = dict(type='L1NormPruner', ratios=0.5, groups='coupled', **settings)
        found = prune(network, pruner, parent.architecture)
        path = tmp_path / 'trained.pth'
        checkpoint(found.state_dict, found.architecture).write(path)
        small = found.architecture.network_with(found.state_dict).eval()
        torch.manual_seed(1)
        images = torch.randn(2, *found.architecture.input_shape)
        with torch.no_grad():
            return path, images, small(images), found.architecture

    return make


def scores_elsewhere(folder, images):
    torch.save(images, folder / 'images.pth')
    out = folder / 'scores.pth'
    subprocess.run(
        [sys.executable, '-c', PLAIN, folder, folder / 'images.pth', out], check=True, cwd=folder
    )
    return torch.load(out)


@pytest.mark.parametrize('name', NETWORKS)
def test_where_this_package_is_not_it_scores_the_same(name, pruned, tmp_path):
    path, images, expected, architecture = pruned(name)
    file = export_timm(path, tmp_path / 'small.py')
    found = scores_elsewhere(tmp_path, images)
    assert torch.allclose(found, expected, atol=1e-5 * float(expected.abs().max()))
    assert len(architecture.channels) > 4 and file.difference <= 1e-5
    state = load_checkpoint(file.weights)['state_dict']
    assert set(state) == set(timm.create_model(name, num_classes=5).state_dict())


def test_what_is_written_comes_back(pruned, tmp_path):
    path, images, expected, architecture = pruned('test_resnet')
    again = convert_checkpoint(export_timm(path, tmp_path / 's.py').weights, 'timm.test_resnet')
    network = again.architecture.network_with(again.state_dict).eval()
    with torch.no_grad():
        assert torch.allclose(network(images), expected, atol=1e-5)
    kept = {layer: architecture.kept(layer) for layer in architecture.channels}
    assert {layer: again.architecture.kept(layer) for layer in again.architecture.channels} == kept


def test_the_command_says_what_it_wrote_and_by_how_much_it_differs(pruned, command, tmp_path):
    path, *_ = pruned('test_resnet')
    done = command('export', path, '--timm', '-o', tmp_path / 'small.py')
    assert done.status == 0, done.err
    assert f'wrote {tmp_path / "small.py"} and {tmp_path / "small.pth"}' in done.out
    assert 'plain timm differs by' in done.out
    source = (tmp_path / 'small.py').read_text()
    assert 'rethink_det' not in source.partition('"""')[2].partition('"""')[2]


def test_tokens_of_a_distilled_pair_go_back_apart(tmp_path, unsettle):
    name = 'deit_tiny_distilled_patch16_224'
    parent = converted(name, tmp_path, unsettle)
    checkpoint(parent.state_dict, parent.architecture).write(tmp_path / 'trained.pth')
    file = export_timm(tmp_path / 'trained.pth', tmp_path / 'small.py')
    assert file.difference <= 1e-6


# -- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize('out', ['small.txt', '3small.py', 'a b.py'])
def test_a_factory_is_a_module(pruned, tmp_path, out):
    path, *_ = pruned('test_resnet')
    with pytest.raises(UserError, match='whose name is a word and ends in .py'):
        export_timm(path, tmp_path / out)


def test_the_checkpoint_itself_is_not_written_over(pruned):
    path, *_ = pruned('test_resnet')
    with pytest.raises(UserError, match='its weights would be .*trained.pth itself'):
        export_timm(path)


def test_networks_of_other_libraries_are_refused(tmp_path, cifar):
    maps = dict(type='rethink_det.TimmBackbone', model_name='test_resnet')
    head = dict(type='rethink_det.LinearHead', num_classes=2)
    mlp = dict(type='rethink_det.MLPHead', num_classes=2, hidden=(3,), pool=1)
    whole = named('timm.test_resnet').backbone
    for architecture, message in (
        (cifar(), 'a rethink_det.CifarResNet is no network of timm'),
        (PrunedArchitecture(maps, head, (3, 64, 64)), 'convert --base timm.NAME'),
        (PrunedArchitecture(whole, mlp, (3, 64, 64)), 'its head is a rethink_det.MLPHead, and'),
    ):
        state = architecture.build_network().state_dict()
        checkpoint(state, architecture).write(tmp_path / 'trained.pth')
        with pytest.raises(UserError, match=message):
            export_timm(tmp_path / 'trained.pth', tmp_path / 'small.py')
    assert not (tmp_path / 'small.py').exists()


@pytest.mark.parametrize('option', [['--backbone'], ['--input-shape', 3, 8, 8], ['--batch', 1]])
def test_options_of_the_other_format_are_refused(pruned, command, option):
    path, *_ = pruned('test_resnet')
    done = command('export', path, '--timm', *option)
    assert done.status == 2 and f'takes a checkpoint alone, no {option[0]}' in done.err
