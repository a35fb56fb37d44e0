"""``rethink-det convert``: foreign weights in, a checkpoint that every other command takes out."""

import json

import pytest
import torch
import torchvision

from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.checkpoint_file import load_checkpoint
from rethink_det.architecture.fitting import load_exactly

KEPT = {'layer1.0.conv1': (0, 2), 'layer3.0.conv1': tuple(range(1, 16))}


@pytest.fixture
def network(cifar):
    torch.manual_seed(0)
    return cifar(classes=2).build_network()


@pytest.fixture
def foreign(network, tmp_path):
    """Cuts the tiny classifier's network and writes it under the names of other code."""

    def write(kept=KEPT):
        Cut(kept).apply(Surgeon(network, (3, 8, 8), 'backbone.'))
        names = {n: n.removeprefix('backbone.').removeprefix('head.') for n in network.state_dict()}
        state = {f'module.{names[name]}': t for name, t in network.state_dict().items()}
        torch.save({'net': state, 'acc': 91.2}, tmp_path / 'foreign.pth')
        return tmp_path / 'foreign.pth'

    return write


@pytest.fixture
def out(tmp_path):
    return tmp_path / 'folder' / 'out.pth'


def test_a_config_is_the_base_and_the_result_describes_itself(command, foreign, classifier, out):
    done = command('convert', foreign(), '-o', out, '--base', classifier())
    assert done.status == 0, done.err
    architecture = PrunedArchitecture.load(out)
    assert architecture.channels == {layer: len(kept) for layer, kept in KEPT.items()}
    state = load_checkpoint(out)['state_dict']
    load_exactly(architecture.build_network(), state)
    assert 'layer1.0.conv1     2 of 4' in done.out
    assert 'inferred: of 2 layers how many channels they keep is known, not which' in done.out
    cost = architecture.cost()
    assert f'params: {cost.params:,} of {architecture.base.cost().params:,} (' in done.out
    assert f'macs: {cost.macs:,} of ' in done.out
    assert f'wrote {out}\n' in done.out
    assert done.out.endswith('8 x 8 pixels, as the config of --base says\n')


def test_where_it_comes_from_is_written_down(command, foreign, classifier, out):
    command('convert', foreign(), '-o', out, '--base', classifier())
    provenance = load_checkpoint(out)['meta']['provenance']
    assert provenance['arm'] == 'converted'
    assert provenance['parent'] == 'foreign.pth'
    assert len(provenance['parent_digest']) == 16
    assert len(provenance['inferred']) == 1


def test_a_config_says_how_images_are_normalised_and_a_name_does_not(
    command, foreign, network, classifier, out
):
    command('convert', foreign({}), '-o', out, '--base', classifier())
    convention = load_checkpoint(out)['meta']['input_convention']
    assert convention == dict(channels='rgb', mean=[125.0] * 3, std=[60.0] * 3)
    network.backbone.architecture.save(out.parent / 'base.json')
    done = command('convert', foreign({}), '-o', out, '--base', out.parent / 'base.json')
    assert 'input_convention' not in load_checkpoint(out)['meta']
    assert 'NOT KNOWN is how they are normalised' in done.out.splitlines()[-1]


@pytest.mark.parametrize(
    'base, said',
    [
        ([], 'images: RGB, mean 123.675, 116.28, 103.53, std 58.395, 57.12, 57.375, 224 x 224'),
        (['--base', 'torchvision.resnet18'], "as torchvision's resnet18 wants them"),
    ],
)
def test_known_networks_say_how_their_images_are_normalised(command, out, tmp_path, base, said):
    torch.manual_seed(0)
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), tmp_path / 'theirs.pth')
    done = command('convert', tmp_path / 'theirs.pth', '-o', out, *base)
    assert said in done.out.splitlines()[-1]
    meta = load_checkpoint(out)['meta']
    assert meta['input_convention']['mean'] == [123.675, 116.28, 103.53]
    assert (
        "images are normalised as torchvision's resnet18 wants them"
        in (meta['provenance']['inferred'])
    )


def test_a_subnet_says_which_channels(command, foreign, classifier, out, tmp_path):
    history = [['layer1.0.conv1', True, [1, 3]], ['layer3.0.conv1', True, [0]]]
    (tmp_path / 'history.json').write_text(json.dumps(history))
    settings = '--base', classifier(), '--subnet', tmp_path / 'history.json'
    assert command('convert', foreign(), '-o', out, *settings).status == 0
    assert PrunedArchitecture.load(out).channels == KEPT


def test_masks_go_into_the_checkpoint(command, foreign, network, classifier, out):
    with torch.no_grad():
        network.backbone.layer2[0].conv1.weight[:2] = 0
    done = command('convert', foreign({}), '-o', out, '--base', classifier(), '--masks', '0.2')
    assert 'keeps 216 of 288 weights' in done.out
    masks = Checkpoint.read(out).masks
    assert {n: m.sum().item() for n, m in masks.items()} == {'backbone.layer2.0.conv1.weight': 216}
    assert PrunedArchitecture.load(out).masks['kept'] == {'backbone.layer2.0.conv1.weight': 216}


def test_what_was_converted_can_be_pruned_further(command, foreign, classifier, out, tmp_path):
    config = classifier()
    command('convert', foreign(), '-o', out, '--base', config)
    settings = '--pruner', 'L1NormPruner', '--pruner-options', 'ratios=0.5', '--no-eval'
    done = command('prune', config, out, '-o', tmp_path / 'pruned.pth', *settings)
    assert done.status == 0, done.err
    assert PrunedArchitecture.load(tmp_path / 'pruned.pth').kept('layer1.0.conv1') == 1


def test_a_bad_source_is_refused_and_nothing_is_written(refusal, bad_checkpoint, classifier, out):
    assert 'bad.pth' in refusal('convert', bad_checkpoint, '-o', out, '--base', classifier())
    assert not out.exists()


@pytest.mark.parametrize(
    'settings, message',
    [
        ((), 'say by --base'),
        (('--base', 'resnet34'), 'missing'),
        (('--base', 'no-such'), "No architecture 'no-such'"),
        (('--base', 'no-such.py'), 'no-such.py does not exist'),
        (('--base', 'CONFIG', '--subnet', 'none.json'), 'none.json'),
        (('--base', 'CONFIG', '--masks'), 'No layer has 1.0% exact zeros'),
        (('--base', 'CONFIG', '--masks', '2'), 'at most 1, got 2.0'),
    ],
)
def test_a_mistake_is_named_and_nothing_is_written(
    refusal, foreign, classifier, out, settings, message
):
    settings = [classifier() if word == 'CONFIG' else word for word in settings]
    assert message in refusal('convert', foreign(), '-o', out, *settings)
    assert not out.parent.exists()
