"""What other tools say of a cut network: Torch-Pruning's history, mmrazor's choices."""

import json
from copy import deepcopy

import pytest
import torch
import torch_pruning as tp
import yaml
from torch import nn
from torchvision.models import resnet18
from torchvision.models.vgg import make_layers

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture, Surgeon
from rethink_det.classification import CifarResNet
from rethink_det.convert import convert_checkpoint

VGG11 = [4, 'M', 8, 'M', 16, 16, 'M', 32, 32, 'M', 32, 32, 'M']


class Vgg(nn.Module):
    """Torchvision's VGG-11 with BatchNorm, narrow."""

    def __init__(self):
        super().__init__()
        self.features = make_layers(VGG11, batch_norm=True)
        self.avgpool = nn.AdaptiveAvgPool2d(2)
        layers = nn.Linear(32 * 4, 12), nn.ReLU(), nn.Dropout(), nn.Linear(12, 12), nn.ReLU()
        self.classifier = nn.Sequential(*layers, nn.Dropout(), nn.Linear(12, 5))

    def forward(self, images):
        return self.classifier(self.avgpool(self.features(images)).flatten(1))


class Akamaster(CifarResNet):
    """A CIFAR ResNet as its well-known code names it."""

    def __init__(self):
        super().__init__(14, 4, 'subsample')
        self.linear = nn.Linear(16, 5)

    def forward(self, images):
        return self.linear(super().forward(images)[-1].mean((2, 3)))


def parent(kind, head=None, **backbone):
    head = head or dict(type='rethink_det.LinearHead', num_classes=5)
    return PrunedArchitecture(dict(type=kind, **backbone), head, (3, 32, 32))


MLP = dict(type='rethink_det.MLPHead', num_classes=5, hidden=(12, 12), pool=2)
CASES = {
    'resnet18': (lambda: resnet18(weights=None, num_classes=5), 'resnet18'),
    'vgg': (Vgg, parent('rethink_det.VGG', MLP, depth=11, base_channels=4)),
    'cifar': (
        Akamaster,
        parent('rethink_det.CifarResNet', depth=14, base_channels=4, shortcut='subsample'),
    ),
}


class Pruned:
    """A network that Torch-Pruning has pruned in two steps, and what can be saved of it."""

    def __init__(self, case, unsettle):
        torch.manual_seed(0)
        make, self.base = CASES[case]
        self.model = unsettle(make()).eval()
        self.whole = deepcopy(self.model.state_dict())
        *_, scores = (m for m in self.model.modules() if isinstance(m, nn.Linear))
        stream = [m for n, m in self.model.named_modules() if n == 'conv1' or 'conv2' in n]
        pruner = tp.pruner.MagnitudePruner(
            self.model,
            torch.randn(1, 3, 32, 32),
            importance=tp.importance.MagnitudeImportance(p=1),
            iterative_steps=2,
            pruning_ratio=0.6,
            ignored_layers=[scores, *(stream if case == 'cifar' else ())],
        )
        pruner.step()
        pruner.step()
        self.history = pruner.pruning_history()
        self.state = self.model.state_dict()
        self.images = torch.randn(2, 3, 32, 32)
        with torch.no_grad():
            self.scores = self.model(self.images)

    def compare(self, converted):
        """Assert that what was converted computes the same."""
        network = converted.architecture.network_with(converted.state_dict).eval()
        with torch.no_grad():
            assert (network(self.images) - self.scores).abs().max() <= 1e-5
        widths = {n: m.out_channels for n, m in self.model.named_modules() if type(m) is nn.Conv2d}
        assert {n: converted.architecture.kept(n) for n in widths} == widths


@pytest.fixture(scope='module', params=CASES)
def pruned(request, unsettle):
    return Pruned(request.param, unsettle)


@pytest.fixture(scope='module')
def cifar_pruned(unsettle):
    return Pruned('cifar', unsettle)


@pytest.fixture
def saved(tmp_path):
    """Writes a file in the format that its name says, and returns it."""

    def write(content, name='weights.pth'):
        path = tmp_path / name
        if path.suffix == '.json':
            path.write_text(json.dumps(content))
        elif path.suffix == '.yaml':
            path.write_text(yaml.safe_dump(content))
        else:
            torch.save(content, path)
        return path

    return write


# -- Torch-Pruning -------------------------------------------------------------------------


def test_cut_weights_alone_give_the_widths(pruned, saved):
    converted = convert_checkpoint(saved(pruned.state), pruned.base)
    pruned.compare(converted)
    assert all(isinstance(kept, int) for kept in converted.architecture.channels.values())


@pytest.mark.parametrize('name', ['history.json', 'history.pth'])
def test_history_and_cut_weights_give_the_channels(pruned, saved, name):
    converted = convert_checkpoint(saved(pruned.state), pruned.base, saved(pruned.history, name))
    pruned.compare(converted)
    layer, kept = next(iter(converted.architecture.channels.items()))
    own = pruned.whole[f'{layer}.weight'][list(kept)][:, : pruned.state[f'{layer}.weight'].shape[1]]
    assert torch.equal(own, pruned.state[f'{layer}.weight'])  # the first layer reads the image


def test_history_and_whole_weights_give_the_same(pruned, saved):
    history = saved(pruned.history, 'history.json')
    converted = convert_checkpoint(saved(pruned.whole), pruned.base, history)
    pruned.compare(converted)
    after = convert_checkpoint(saved(pruned.state), pruned.base, history)
    assert converted.architecture == after.architecture
    assert all(torch.equal(t, after.state_dict[n]) for n, t in converted.state_dict.items())


def test_one_file_may_hold_both(cifar_pruned, saved):
    both = saved({'model': cifar_pruned.state, 'pruning': cifar_pruned.history})
    converted = convert_checkpoint(both, cifar_pruned.base, both)
    cifar_pruned.compare(converted)
    assert all(isinstance(kept, tuple) for kept in converted.architecture.channels.values())


def test_what_tp_state_dict_gives_is_refused_with_the_remedy(cifar_pruned, saved):
    with pytest.raises(UserError, match=r'needs code to load .* weights_only=False'):
        convert_checkpoint(saved(tp.state_dict(cifar_pruned.model)), cifar_pruned.base)


@pytest.mark.parametrize(
    'step, message',
    [
        (['layer1.0.conv1', True, [7]], r'step 0: it removes channels \[7\] of layer1\.0\.conv1'),
        (['layer1.0.conv1', True, [0, 1, 2, 3]], r'which has 4 then: valid are some of them'),
        (['layer9.conv1', True, [0]], r"has no layer 'layer9\.conv1'"),
        (['linear', True, [0]], r'removes outputs of head\.fc, the class scores'),
        (['layer1.0.conv1', True, []], r'no \[layer, is_out, channels\]'),
        (['layer1.0.conv1', True], r'no \[layer, is_out, channels\]'),
        (['layer1.0.conv1', True, ['a']], r'no \[layer, is_out, channels\]'),
    ],
)
def test_an_impossible_step_is_named(cifar_pruned, saved, step, message):
    with pytest.raises(UserError, match=message):
        convert_checkpoint(
            saved(cifar_pruned.whole), cifar_pruned.base, saved([step], 'history.json')
        )


def test_a_history_of_other_weights_is_refused(cifar_pruned, saved):
    history = saved([['layer1.0.conv1', True, [1]]], 'history.json')
    with pytest.raises(UserError, match=r'layer1\.0\.conv1 has 1 channels, but .* keeps 3 of 4'):
        convert_checkpoint(saved(cifar_pruned.state), cifar_pruned.base, history)


def test_an_empty_history_of_cut_weights_is_refused(cifar_pruned, saved):
    with pytest.raises(UserError, match=r'layer1\.0\.conv1 has 1 channels, but .* keeps 4 of 4'):
        convert_checkpoint(saved(cifar_pruned.state), cifar_pruned.base, saved([], 'history.json'))


def test_an_empty_history_leaves_whole_weights_whole(cifar_pruned, saved):
    converted = convert_checkpoint(
        saved(cifar_pruned.whole), cifar_pruned.base, saved([], 'history.json')
    )
    assert converted.architecture == cifar_pruned.base


# -- mmrazor -------------------------------------------------------------------------------

FORMS = {
    'mutator': lambda choices: {
        'type': 'ChannelMutator',
        'channel_unit_cfg': {
            'type': 'SequentialMutableChannelUnit',
            'default_args': {'choice_mode': 'number'},
            'units': {
                'backbone.conv1_(0, 3)_3': {'choice': 3},
                'head.fc_(0, 5)_5': {'choice': 1.0},
                **{
                    f'backbone.{layer}_(0, {width})_{width}': {
                        'init_args': {'num_channels': width, 'divisor': 1},
                        'choice': kept,
                    }
                    for layer, (kept, width) in choices.items()
                },
            },
        },
        'parse_cfg': {'type': 'ChannelAnalyzer'},
    },
    'template': lambda choices: {
        f'backbone.{layer}_(0, {width})_{width}': kept / width
        for layer, (kept, width) in choices.items()
    },
    'mutables': lambda choices: {
        'backbone.bn1.mutable_attrs.num_features': {'chosen': 4, 'meta': {'max_channels': 4}},
        **{
            f'backbone.{layer}.mutable_attrs.out_channels': {
                'chosen': kept,
                'meta': {'max_channels': width},
            }
            for layer, (kept, width) in choices.items()
        },
    },
    'pairs': lambda choices: {
        f'backbone.{layer}.mutable_attrs.out_channels': [kept, {'max_channels': width}]
        for layer, (kept, width) in choices.items()
    },
    'layers': lambda choices: {
        'backbone.bn1': {'out_channels': 3, 'raw_out_channels': 4},
        **{
            f'backbone.{layer}': {'out_channels': kept, 'raw_out_channels': width}
            for layer, (kept, width) in choices.items()
        },
    },
}
RESNET = parent('mmdet.ResNet', depth=18, base_channels=8)
CHOICES = {'layer1.0.conv1': (3, 8), 'layer2.0.conv2': (7, 16), 'layer2.1.conv1': (16, 16)}
FIRST = {
    'layer1.0.conv1': (0, 1, 2),
    **dict.fromkeys(('layer2.0.conv2', 'layer2.0.downsample.0', 'layer2.1.conv2'), tuple(range(7))),
}


@pytest.fixture(scope='module')
def whole():
    torch.manual_seed(0)
    return RESNET.build_network().eval()


@torch.no_grad()
def test_first_channels_of_mmrazors_supernet(whole, saved):
    supernet = {f'architecture.{name}': t for name, t in whole.state_dict().items()}
    subnet = saved(FORMS['mutator'](CHOICES), 'fix_subnet.json')
    converted = convert_checkpoint(saved({'state_dict': supernet}), RESNET, subnet)
    assert converted.architecture.channels == FIRST
    zeroed, images = deepcopy(whole), torch.randn(2, 3, 32, 32)
    Surgeon(zeroed, RESNET.input_shape, 'backbone.').zero(FIRST)
    again = converted.architecture.network_with(converted.state_dict).eval()
    assert torch.allclose(again(images), zeroed(images), atol=1e-5)


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('suffix', ['json', 'yaml'])
def test_each_form_agrees_with_the_cut_weights(whole, saved, form, suffix):
    shaped = PrunedArchitecture(RESNET.backbone, RESNET.head, RESNET.input_shape, FIRST)
    state = shaped.inherit(whole.state_dict())
    subnet = saved(FORMS[form](CHOICES), f'fix_subnet.{suffix}')
    found = convert_checkpoint(saved(state), RESNET, subnet).architecture
    assert found == (shaped if form == 'mutator' else shaped.shape())


def test_shares_are_rounded_as_mmrazor_does(saved):
    """Of its own ResNet-18: 0.6484374 of 256 channels are 165, not 166."""
    units = {
        'backbone.layer1.0.conv1_(0, 64)_64': 0.640625,
        'backbone.layer3.1.conv1_(0, 256)_256': 0.6484374,
        'backbone.layer4.1.conv1_(0, 512)_512': {'init_args': {'divisor': 8}, 'choice': 0.69921875},
    }
    kept = {'layer1.0.conv1': 41, 'layer3.1.conv1': 165, 'layer4.1.conv1': 360}
    big = parent('mmdet.ResNet', depth=18)
    shaped = PrunedArchitecture(big.backbone, big.head, big.input_shape, kept)
    weights = saved(shaped.build_network().state_dict())
    assert convert_checkpoint(weights, big, saved(units, 'units.json')).architecture == shaped


def test_counts_do_not_say_which_channels_of_whole_weights(whole, saved):
    subnet = saved(FORMS['template'](CHOICES), 'fix_subnet.json')
    with pytest.raises(UserError, match=r'layer1\.0\.conv1 .* not which.*get_static_model'):
        convert_checkpoint(saved(whole.state_dict()), RESNET, subnet)


@pytest.mark.parametrize(
    'content, message',
    [
        ({'backbone.layer1.0.conv1_(0, 64)_64': 3}, r'keeps 3 of 64 channels .* has 8\.'),
        ({'backbone.layer9.conv1_(0, 8)_8': 3}, r'layer9\.conv1, which .* does not exist'),
        ({'backbone.layer1.0.conv1_(4, 8)_4': 3}, r'part of a concatenation'),
        ({'backbone.layer1.0.conv1_(0, 8)_8': 9}, r'would keep 9 of 8'),
        ({'backbone.layer1.0.conv1_(0, 8)_8': 'all'}, r"'all' is no number of channels"),
        ({'backbone.layer1.0.conv1_(0, 8)_8': 0}, r'choice 0 is no number of channels'),
        ({'backbone.layer1.mutable_attrs.depth': {'chosen': 1}}, r"depth' is no channel choice"),
        ({'epoch': 3}, r"'epoch' is no channel choice\. Known are"),
        (
            {'backbone.layer2.0.conv2_(0, 16)_16': 7, 'backbone.layer2.1.conv2_(0, 16)_16': 8},
            r'keeps 7 and 8',
        ),
        ({'backbone.conv1.mutable_attrs.out_channels': 3}, r'out_channels: 3 is no choice'),
        ({'backbone.conv1': {'raw_out_channels': 8}}, r'the choice None is no number'),
        (
            {'channel_unit_cfg': {'units': [1], 'default_args': 1}},
            r'the units of a mutator are a dict',
        ),
        (
            {'backbone.conv1_(0, 8)_8': {'init_args': {'divisor': 0}, 'choice': 3}},
            r"'divisor': 0.* must be positive numbers",
        ),
        ({0: 52, 1: 22}, r'holds a dict that is neither'),
        ('conv1', r'holds a str that is neither'),
    ],
)
def test_what_is_no_choice_of_these_channels_is_refused(whole, saved, content, message):
    with pytest.raises(UserError, match=message):
        convert_checkpoint(saved(whole.state_dict()), RESNET, saved(content, 'subnet.yaml'))


@pytest.mark.parametrize('text', ['{', '!!python/object/apply:os.mkdir [x]', '\x00'])
def test_a_subnet_that_cannot_be_read_is_refused(whole, saved, tmp_path, text):
    (tmp_path / 'subnet.yaml').write_text(text)
    with pytest.raises(UserError, match=r'subnet\.yaml cannot be read'):
        convert_checkpoint(saved(whole.state_dict()), RESNET, tmp_path / 'subnet.yaml')


def test_a_subnet_that_is_not_there_is_refused(whole, saved, tmp_path):
    for name in ('none.json', 'none.pth'):
        with pytest.raises(UserError, match=r'none\.'):
            convert_checkpoint(saved(whole.state_dict()), RESNET, tmp_path / name)
