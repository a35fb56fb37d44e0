"""Small networks of every kind that the methods are about."""

import pytest
import torch

from rethink_det.architecture import PrunedArchitecture

POOLED = dict(type='rethink_det.LinearHead', num_classes=4)
HIDDEN = dict(type='rethink_det.MLPHead', num_classes=4, hidden=[12], pool=1, norm=True, dropout=0)
FLAT = {**HIDDEN, 'hidden': [12, 10], 'pool': 2}


def ours(name: str, **settings) -> dict:
    return dict(type=f'rethink_det.{name}', **settings)


NETWORKS = {
    'vgg': (ours('VGG', depth=11, conv_bias=False, last_pool=False), HIDDEN, 32),
    'vgg-flat': (ours('VGG', depth=11), FLAT, 64),
    'vgg-plain': (ours('VGG', depth=11, norm=False, last_pool=False), POOLED, 32),
    'cifar-resnet': (ours('CifarResNet', depth=14), POOLED, 16),
    'preresnet': (ours('PreResNet', depth=20), POOLED, 16),
    'densenet': (ours('DenseNet', depth=10, growth=4), POOLED, 16),
    'densenet-bc': (
        ours('DenseNet', depth=16, growth=4, bottleneck=True, compression=0.5),
        POOLED,
        16,
    ),
    'preact': (ours('PreActResNet', depth=50, base_channels=8), POOLED, 64),
    'resnet18': (dict(type='mmdet.ResNet', depth=18, base_channels=8, stem_channels=8), POOLED, 64),
    'resnet50': (dict(type='mmdet.ResNet', depth=50, base_channels=8, stem_channels=8), POOLED, 64),
    'resnext50': (
        dict(
            type='mmdet.ResNeXt', depth=50, groups=4, base_width=4, base_channels=16,
            stem_channels=16,
        ),
        POOLED,
        64,
    ),
    # Depthwise convolutions, and BatchNorms with an activation in them.
    'mobilenetv2': (
        ours('TimmBackbone', model_name='mobilenetv2_035'),
        ours('ConvHead', num_classes=4, channels=16),
        64,
    ),
}  # fmt: skip


@pytest.fixture(scope='session')
def parents():
    """Makes (architecture, state dict) of a network by name, with lively BatchNorms."""
    made = {}

    def make(name: str):
        if name not in made:
            backbone, head, size = NETWORKS[name]
            if backbone['type'] == 'rethink_det.TimmBackbone':
                pytest.importorskip('timm')
            architecture = PrunedArchitecture(backbone, head, (3, size, size))
            torch.manual_seed(1)
            network = architecture.build_network()
            for module in network.modules():
                if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
                    torch.nn.init.uniform_(module.weight, -1, 1)
                    torch.nn.init.normal_(module.bias, 0, 0.2)
                    module.running_mean.normal_(0, 0.2)
                    module.running_var.uniform_(0.5, 2)
            made[name] = architecture, network.state_dict()
        architecture, state = made[name]
        return architecture, {key: tensor.clone() for key, tensor in state.items()}

    return make
