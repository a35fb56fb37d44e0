"""Networks that other tools have pruned, from the files that these tools write."""

import json
import subprocess
import sys
from copy import deepcopy
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import torch
import torch.nn.utils.prune
import torch_pruning as tp
import torchvision
import yaml
from torch import nn

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture
from rethink_det.convert import convert_checkpoint

SCRIPT = Path(__file__).resolve().parents[2] / 'tools' / 'foreign' / 'plain_weights.py'
KINDS = {
    'timm.test_resnet': (False, None),
    'timm.mobilenetv3_small_050': (False, None),  # depthwise convolutions and gates
    'timm.test_efficientnet': (False, 8),
    'torchvision.mobilenet_v3_small': (True, None),  # a hidden layer of its head
    'timm.regnety_002': (True, None),  # grouped convolutions, narrowed
    'timm.ghostnet_050': (True, None),
}
"""By the base: whether it becomes a coupled architecture, and what its widths are rounded to."""
SLOW = ('timm.ghostnet_050', 'timm.regnety_002', 'torchvision.mobilenet_v3_small')
each_kind = pytest.mark.parametrize(
    'name', [pytest.param(n, marks=pytest.mark.slow if n in SLOW else []) for n in KINDS]
)


def model(name, **settings):
    library, _, bare = name.rpartition('.')
    torch.manual_seed(0)
    if library == 'timm':
        return pytest.importorskip('timm').create_model(bare, num_classes=7, **settings)
    return torchvision.models.get_model(bare, weights=None, num_classes=7, **settings)


class Pruned:
    """A network that Torch-Pruning has pruned in two steps, its classifier left alone."""

    def __init__(self, name, unsettle, round_to=None):
        self.base = name
        self.model = unsettle(model(name)).eval()
        self.whole = deepcopy(self.model.state_dict())
        side = 96 if 'resnet18' in name else 160 if 'test' in name else 224
        self.images = torch.randn(1, 3, side, side)
        scores = [m for m in self.model.modules() if isinstance(m, nn.Linear)][-1]
        pruner = tp.pruner.MagnitudePruner(
            self.model,
            self.images,
            importance=tp.importance.GroupMagnitudeImportance(p=2),
            pruning_ratio=0.5,
            iterative_steps=2,
            round_to=round_to,
            ignored_layers=[scores],
        )
        pruner.step()
        pruner.step()
        self.history = pruner.pruning_history()
        with torch.no_grad():
            self.scores = self.model(self.images)

    def compare(self, converted):
        """Assert that what was converted is as wide and computes the same, read again as well."""
        architecture = PrunedArchitecture.from_dict(converted.architecture.to_dict())
        assert architecture == converted.architecture
        network = architecture.network_with(converted.state_dict).eval()
        with torch.no_grad():
            distance = (network(self.images) - self.scores).abs().max()
        assert distance <= 1e-5 * max(1, self.scores.abs().max())
        widths = {n: m.out_channels for n, m in self.model.named_modules() if type(m) is nn.Conv2d}
        prefix = '' if '.' not in self.base else 'network.'
        assert {n: architecture.kept(prefix + n) for n in widths} == widths
        return architecture


@pytest.fixture(scope='module')
def pruned(unsettle):
    return cache(lambda name: Pruned(name, unsettle, KINDS.get(name, (False, None))[1]))


@pytest.fixture
def saved(tmp_path):
    """Writes a file in the format that its name says, and returns it."""

    def write(content, name='foreign.pth'):
        path = tmp_path / name
        if path.suffix == '.json':
            path.write_text(json.dumps(content))
        elif path.suffix == '.yaml':
            path.write_text(yaml.safe_dump(content))
        else:
            torch.save(content, path)
        return path

    return write


# -- Torch-Pruning: widths, rounded widths, histories ----------------------------------------


@each_kind
def test_cut_weights_give_the_widths_and_coupled_groups_where_need_be(name, pruned, saved):
    cut = pruned(name)
    architecture = cut.compare(convert_checkpoint(saved(cut.model.state_dict()), name))
    assert architecture.coupled == KINDS[name][0]
    assert all(isinstance(kept, int) for kept in architecture.channels.values())
    if KINDS[name][1]:
        assert {kept % 8 for kept in architecture.channels.values()} == {0}


@each_kind
def test_the_history_gives_the_channels_of_cut_and_of_whole_weights(name, pruned, saved):
    cut = pruned(name)
    history = saved(cut.history, 'history.json')
    after = convert_checkpoint(saved(cut.model.state_dict()), name, history)
    architecture = cut.compare(after)
    assert not any(isinstance(kept, int) for kept in architecture.channels.values())
    before = convert_checkpoint(saved(cut.whole), name, history)
    cut.compare(before)
    assert all(torch.equal(t, after.state_dict[n]) for n, t in before.state_dict.items())


# -- files that only their own code can load -----------------------------------------------


@pytest.fixture
def plain_weights(monkeypatch):
    """Runs the script, which users run in a process of their own; gives what it exits with."""
    spec = spec_from_file_location('plain_weights', SCRIPT)
    script = module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.delenv('TORCH_FORCE_WEIGHTS_ONLY_LOAD', raising=False)

    def run(source, out):
        monkeypatch.setattr(sys, 'argv', ['plain_weights.py', str(source), str(out)])
        try:
            return script.main()
        except SystemExit as end:
            return end.code

    return run


def test_the_script_needs_torch_alone():
    imports = [line for line in SCRIPT.read_text().splitlines() if 'import ' in line]
    assert imports == ['import argparse', 'import os', 'import sys', 'import torch']
    done = subprocess.run([sys.executable, SCRIPT, '--help'], capture_output=True, text=True)
    assert done.returncode == 0 and 'FILE' not in done.stderr


def foreign_files(cut):
    yield 'whole model', cut.model
    yield 'in a dict', {'model': cut.model, 'pruning': cut.history, 'epoch': 3}
    yield 'torch-pruning', tp.state_dict(cut.model)
    yield 'state dict', {'model_state_dict': cut.model.state_dict(), 'by': cut.model.bn1}


def test_the_script_takes_the_weights_out_of_files_that_need_code(
    pruned, saved, tmp_path, plain_weights
):
    cut = pruned('resnet18')
    for what, content in foreign_files(cut):
        source, out = saved(content, 'pickled.pth'), tmp_path / f'{what}.pth'
        with pytest.raises(UserError, match=r'needs code to load.*plain_weights\.py does so'):
            convert_checkpoint(source, cut.base)
        assert plain_weights(source, out) is None
        subnet = out if what == 'in a dict' else None
        architecture = cut.compare(convert_checkpoint(out, cut.base, subnet))
        assert all(isinstance(k, int) != bool(subnet) for k in architecture.channels.values())


def test_the_script_says_what_it_cannot_do_in_a_line(saved, tmp_path, plain_weights):
    (tmp_path / 'there.pth').touch()
    for content, out, message in (
        ([1, 2], 'out.pth', 'holds a list, neither a model nor a dict'),
        ({'epoch': 3}, 'out.pth', 'holds no model and no tensors'),
        ({'model': nn.Linear(1, 1)}, 'there.pth', 'is there: name another file'),
    ):
        said = plain_weights(saved(content), tmp_path / out)
        assert said.startswith('error: ') and message in said and '\n' not in said
    assert not (tmp_path / 'out.pth').exists()


# -- masks, and widths of the libraries' own ------------------------------------------------


def test_masks_of_torch_are_those_of_the_networks_own_layers(saved):
    network = model('timm.test_resnet').eval()
    layers = [network.layer1[0].conv1, network.fc]
    for layer in layers:
        nn.utils.prune.l1_unstructured(layer, 'weight', 0.75)
    converted = convert_checkpoint(saved(network.state_dict()), 'timm.test_resnet')
    names = ['backbone.network.layer1.0.conv1.weight', 'head.fc.weight']
    assert sorted(converted.masks) == names
    for name, layer in zip(names, layers, strict=True):
        assert torch.equal(converted.masks[name], layer.weight_mask.bool())
        assert torch.equal(converted.state_dict[name], layer.weight)


@pytest.mark.parametrize(
    'variant',
    [
        'efficientnet_b1_pruned',
        pytest.param('ecaresnet50d_pruned', marks=pytest.mark.slow),
        pytest.param('efficientnet_b3_pruned', marks=pytest.mark.slow),
    ],
)
@torch.no_grad()
def test_pruned_variants_of_timm_are_cut_from_what_they_were(variant, saved, unsettle):
    network = unsettle(model(f'timm.{variant}')).eval()
    converted = convert_checkpoint(saved(network.state_dict()), f'timm.{variant}')
    architecture = converted.architecture
    assert architecture.backbone['model_name'] == variant.removesuffix('_pruned')
    ours, images = architecture.network_with(converted.state_dict).eval(), torch.randn(1, 3, 64, 64)
    assert torch.allclose(ours(images), network(images), atol=1e-4)
    assert len(architecture.channels) > 30


@pytest.mark.slow
def test_a_fixed_subnet_of_coupled_layers_agrees_with_the_weights(pruned, saved):
    cut = pruned('timm.regnety_002')
    widths = {
        n: len(t) for n, t in cut.model.state_dict().items() if n.endswith('conv1.conv.weight')
    }
    units = {
        f'{name.removesuffix(".weight")}_(0, {len(cut.whole[name])})_{len(cut.whole[name])}': {
            'choice': width
        }
        for name, width in widths.items()
    }
    subnet = saved(units, 'fix_subnet.yaml')
    converted = convert_checkpoint(saved(cut.model.state_dict()), cut.base, subnet)
    assert cut.compare(converted).coupled
    assert any('the subnet says nothing of' in note for note in converted.inferred)
    first = next(iter(units))
    units[first]['choice'] -= 1
    with pytest.raises(UserError, match='channels, but the subnet keeps'):
        convert_checkpoint(saved(cut.model.state_dict()), cut.base, saved(units, 'wrong.yaml'))


# -- NVIDIA ModelOpt -------------------------------------------------------------------------


def modelopt_file(state):
    """What ``modelopt.torch.opt.save`` of 0.47 writes of a network that ``prune`` has cut."""
    config = {'config': {'strict': True, 'calib': False}, 'metadata': {'subnet_config': {}}}
    kept = {'modelopt_state_dict': [('export_nas', config)], 'modelopt_version': '0.47.0'}
    return {'modelopt_state': kept, 'model_state_dict': state}


def test_a_network_that_modelopt_has_cut_is_read_by_its_widths(pruned, saved):
    cut = pruned('timm.test_resnet')
    cut.compare(convert_checkpoint(saved(modelopt_file(cut.model.state_dict())), cut.base))


def test_what_modelopt_quantises_is_refused_by_name(pruned, saved):
    cut = pruned('timm.test_resnet')
    state = {**cut.model.state_dict(), 'conv1.weight_quantizer._amax': torch.ones(())}
    with pytest.raises(UserError, match=r'has no tensor .*conv1\.weight_quantizer\._amax'):
        convert_checkpoint(saved(modelopt_file(state)), cut.base)


@pytest.mark.slow
def test_modelopts_own_file_is_read(saved, tmp_path):
    prune = pytest.importorskip('modelopt.torch.prune')
    pytest.importorskip('torchprofile')
    optimised = pytest.importorskip('modelopt.torch.opt')
    images = torch.randn(2, 3, 64, 64)
    settings = dict(
        data_loader=[(images, None)],
        score_func=lambda network: float(network(images)[0, 0]),
        collect_func=lambda batch: batch[0],
        max_iter_data_loader=1,
        checkpoint=str(tmp_path / 'search.pth'),
    )
    network, _ = prune.prune(
        model=model('torchvision.resnet18'),
        mode='fastnas',
        constraints={'flops': '60%'},
        dummy_input=images,
        config=settings,
    )
    optimised.save(network, tmp_path / 'modelopt.pth')
    converted = convert_checkpoint(tmp_path / 'modelopt.pth', 'torchvision.resnet18')
    ours = converted.architecture.network_with(converted.state_dict).eval()
    with torch.no_grad():
        assert torch.allclose(ours(images), network.eval()(images), atol=1e-5)
    assert len(converted.architecture.channels) > 5


# -- refusals ------------------------------------------------------------------------------


def test_widths_that_no_cut_makes_are_refused_with_both_reasons(pruned, saved):
    cut = pruned('timm.regnety_002')
    state = dict(cut.model.state_dict())
    name = next(n for n in state if n.endswith('conv1.conv.weight'))
    state[name] = state[name][:-1]
    with pytest.raises(UserError, match=r'foreign\.pth: .* As coupled groups: '):
        convert_checkpoint(saved(state), cut.base)


def test_a_history_of_another_network_is_refused(pruned, saved):
    cut = pruned('timm.test_resnet')
    wrong = [['blocks.0.0.conv_dw', True, [0, 1]]]
    with pytest.raises(UserError, match="timm.test_resnet has no layer 'blocks.0.0.conv_dw'"):
        convert_checkpoint(saved(cut.whole), cut.base, saved(wrong, 'history.json'))
