"""Descriptions of networks that would run something, or take all there is, if they were believed.

``CANARY`` in them is the path of a file that none may make, ``evil_package`` a package that none
may import: importing it, or any module in it, makes that file.
"""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

CANARY = 'CANARY'
EVIL = 'evil_package'

RESNET = {'type': 'mmdet.ResNet', 'depth': 18}
CIFAR = {'type': 'rethink_det.CifarResNet', 'depth': 8, 'base_channels': 4}
TIMM = {'type': 'rethink_det.TimmBackbone', 'model_name': 'resnet18'}
TORCHVISION = {'type': 'rethink_det.TorchvisionBackbone', 'model_name': 'resnet18'}
LINEAR = {'type': 'rethink_det.LinearHead', 'num_classes': 2}

CALLS = (
    {'type': 'os.system', 'command': f'touch {CANARY}'},
    {'type': 'os.mkdir', 'path': CANARY},
    {'type': 'posix.system', 'command': f'touch {CANARY}'},
    {'type': 'subprocess.getoutput', 'cmd': f'touch {CANARY}'},
    {'type': 'subprocess.Popen', 'args': ['touch', CANARY]},
    {'type': 'subprocess.run', 'args': ['touch', CANARY]},
    {'type': 'pathlib.Path.touch', 'self': CANARY},
    {'type': 'builtins.open', 'file': CANARY, 'mode': 'w'},
    {'type': 'builtins.exec', 'source': f'open({CANARY!r}, "w")'},
    {'type': 'builtins.eval', 'source': f'open({CANARY!r}, "w")'},
    {'type': 'io.open', 'file': CANARY, 'mode': 'w'},
    {'type': 'shutil.copy', 'src': '/etc/hostname', 'dst': CANARY},
    {'type': 'runpy.run_module', 'mod_name': EVIL},
    {'type': 'importlib.import_module', 'name': EVIL},
    {'type': 'mmengine.utils.import_modules_from_strings', 'imports': EVIL},
    {
        'type': 'mmengine.config.Config.fromstring',
        'cfg_str': f'import {EVIL}',
        'file_format': '.py',
    },
    {'type': 'mmengine.fileio.dump', 'obj': {}, 'file': f'{CANARY}.json'},
    {'type': 'torch.hub.load', 'repo_or_dir': CANARY, 'model': 'x', 'source': 'local'},
    {'type': 'torch.save', 'obj': {}, 'f': CANARY},
    {'type': 'timm.create_model', 'model_name': 'resnet18', 'pretrained': True},
    {'type': 'torchvision.models.resnet18', 'weights': 'DEFAULT'},
    {'type': 'mmdet.apis.init_detector', 'config': CANARY},
    {'type': 'rethink_det.files.save_text', 'text': '', 'path': CANARY},
    {'type': 'rethink_det.architecture.PrunedArchitecture.load', 'source': CANARY},
    {'type': EVIL},
    {'type': f'{EVIL}.Net'},
    {'type': f'{EVIL}.inner'},
    {'type': f'{EVIL}.inner.Net'},
    {'type': 'Net', '_scope_': EVIL},
    {'type': 'ResNet', '_scope_': EVIL},
    {'type': 'ResNet', '_scope_': ['mmdet']},
    {'type': 'torch.nn.Identity'},
    {'type': 'torch.nn.modules.conv.Conv2d', 'in_channels': 3},
    {'type': 'mmdet.models.backbones.ResNet', 'depth': 18},
    {'type': 'mmdet.models'},
    {'type': '__main__.main'},
    {'type': ' mmdet.ResNet'},
    {'type': 'mmdet.ResNet\n'},
    {'type': 'mmdet::ResNet'},
    {'type': 'lambda **settings: None'},
    {'type': ''},
    {'type': '.'},
    {'type': None},
    {'type': 3},
    {'type': ['mmdet.ResNet']},
    {'type': {'type': 'mmdet.ResNet'}},
)
"""What may stand in no place where a ``type`` stands."""

NO_NETWORKS = (
    {'type': 'mmdet.FasterRCNN', 'backbone': dict(RESNET)},
    {'type': 'mmdet.FPN', 'in_channels': [64], 'out_channels': 64, 'num_outs': 1},
    {'type': 'mmdet.BertModel', 'name': 'bert'},
    {'type': 'mmengine.BaseDataPreprocessor'},
    {'type': 'mmengine.ExponentialMovingAverage', 'model': dict(RESNET)},
    {'type': 'BN', 'num_features': 3},
    {'type': 'Conv2d', 'in_channels': 3, 'out_channels': 3, 'kernel_size': 1},
    {'type': 'rethink_det.PrunedBackbone', 'architecture': CANARY},
    {'type': 'rethink_det.PrunedBackbone', 'architecture': 'resnet56'},
    {'type': 'PrunedBackbone', 'architecture': 'resnet56'},
    {'type': 'rethink_det.L1NormPruner', 'ratios': 0.5},
    {'type': 'rethink_det.TransferHook', 'arm': 'random'},
    {'type': 'rethink_det.NoNetwork', 'path': CANARY},
    {'type': 'rethink_det.makes_a_file', 'path': CANARY},
    {'type': 'NoNetwork', 'path': CANARY},
    {'type': 'makes_a_file', 'path': CANARY},
    {'type': 'mmdet.NoSuchNetwork'},
    {'type': 'mmpretrain.NoSuchNetwork', 'depth': 18},
    {'type': 'NoSuchNetwork'},
)
"""Registered or not: what is no backbone and no head. Two of them are registered by the tests."""

NO_LAYERS = (
    {'type': 'mmdet.ResNet', 'depth': 18},
    {'type': 'rethink_det.CifarResNet', 'depth': 8},
    {'type': 'rethink_det.NoNetwork', 'path': CANARY},
    {'type': 'rethink_det.makes_a_file', 'path': CANARY},
    {'type': 'mmengine.ImgDataPreprocessor'},
    {'type': 'Pretrained', 'checkpoint': CANARY},
)
"""What is no norm, no convolution and no activation."""

PLACES = (
    lambda hostile: {**RESNET, 'norm_cfg': hostile},
    lambda hostile: {**RESNET, 'conv_cfg': hostile},
    lambda hostile: {**RESNET, 'dcn': hostile, 'stage_with_dcn': [True] * 4},
    lambda hostile: {
        **RESNET,
        'plugins': [{'cfg': hostile, 'stages': [True] * 4, 'position': 'after_conv2'}],
    },
)
"""Where a backbone of mmdet has layers by name."""

SETTINGS = (
    {**RESNET, 'init_cfg': {'type': 'Pretrained', 'checkpoint': CANARY}},
    {**RESNET, 'init_cfg': [{'type': 'os.system', 'command': f'touch {CANARY}'}]},
    {**RESNET, 'init_cfg': {'type': 'Kaiming', 'layer': 'Conv2d'}},
    {**RESNET, 'pretrained': 'torchvision://resnet18'},
    {**RESNET, 'pretrained': 'https://example.invalid/r18.pth'},
    {**RESNET, 'pretrained': CANARY},
    {**RESNET, 'pretrained': True},
    {**RESNET, 'style': 'https://example.invalid/r18.pth'},
    {**RESNET, 'style': '/etc/passwd'},
    {**RESNET, 'style': '../../weights'},
    {**RESNET, 'style': 'weights.pth'},
    {**RESNET, 'style': 'os.system'},
    {**RESNET, 'style': 'lambda x: x'},
    {**RESNET, 'style': '__import__("os")'},
    {**RESNET, 'style': 'x' * 10_000},
    {**RESNET, 'norm_cfg': {'type': 'BN', 'init_cfg': {'type': 'Pretrained'}}},
    {**RESNET, 'norm_cfg': {'type': 'BN', 'checkpoint': CANARY}},
    {**RESNET, 'norm_cfg': {'type': 'BN', 'eps': float('nan')}},
    {**RESNET, 'norm_cfg': {'type': 'BN', 'momentum': float('inf')}},
    {**RESNET, 'depth': 10**400},
    {**RESNET, 'base_channels': 10**9},
    {**RESNET, 'base_channels': 99_999},
    {**RESNET, 'base_channels': -1},
    {**RESNET, 'base_channels': 0},
    {**RESNET, 'in_channels': 10**12},
    {**RESNET, 'stem_channels': 1e308},
    {**RESNET, 'strides': [1] * 100_000},
    {**RESNET, 'strides': [[[[[[[[[[[[1]]]]]]]]]]]]},
    {**RESNET, 'os.system': 1},
    {**RESNET, 'self': None},
    {**RESNET, 'a b': 1},
    {**RESNET, '': 1},
    {**CIFAR, 'depth': 60_002},
    {**CIFAR, 'depth': 10**8 + 2},
    {**CIFAR, 'base_channels': 90_000},
    {**CIFAR, 'init_cfg': {'type': 'Pretrained', 'checkpoint': CANARY}},
    {'type': 'rethink_det.DenseNet', 'depth': 40, 'growth_rate': 99_999},
    {'type': 'rethink_det.VGG', 'depth': 16, 'init': {'type': 'os.system'}},
    {**TIMM, 'pretrained': True},
    {**TIMM, 'pretrained_cfg': {'url': 'https://example.invalid/r18.pth'}},
    {**TIMM, 'pretrained_cfg_overlay': {'file': CANARY}},
    {**TIMM, 'checkpoint_path': CANARY},
    {**TIMM, 'cache_dir': CANARY},
    {**TIMM, 'model_name': 'hf-hub:timm/resnet18'},
    {**TIMM, 'model_name': 'hf_hub:timm/resnet18'},
    {**TIMM, 'model_name': f'local-dir:{CANARY}'},
    {**TIMM, 'model_name': 'https://example.invalid/r18'},
    {**TIMM, 'model_name': '../resnet18'},
    {**TIMM, 'model_name': 'no_such_network'},
    {**TIMM, 'act_layer': f'{EVIL}.Net'},
    {**TIMM, 'norm_layer': {'type': f'{EVIL}.Net'}},
    {**TORCHVISION, 'weights': 'DEFAULT'},
    {**TORCHVISION, 'pretrained': True},
    {**TORCHVISION, 'model_name': 'fcn_resnet50'},
    {**TORCHVISION, 'model_name': 'list_models'},
    {**TORCHVISION, 'model_name': f'../{EVIL}'},
    {**TORCHVISION, 'norm_layer': f'{EVIL}.Net'},
    {**TORCHVISION, 'norm_layer': {'type': f'{EVIL}.Net'}},
    {**TORCHVISION, 'width_per_group': 99_999},
)
"""Backbones that are registered, with settings that no file may have."""

HEADS = (
    {**LINEAR, 'num_classes': 10**10},
    {**LINEAR, 'in_channels': 10**10},
    {**LINEAR, 'init_std': float('nan')},
    {**LINEAR, 'init_cfg': {'type': 'Pretrained', 'checkpoint': CANARY}},
    {'type': 'rethink_det.MLPHead', 'num_classes': 2, 'hidden': [99_999] * 40},
    {'type': 'rethink_det.MLPHead', 'num_classes': 2, 'hidden': [1] * 100_000},
    {'type': 'rethink_det.ConvHead', 'num_classes': 2, 'activation': 'os.system'},
)
"""Heads, likewise."""


def hostile_parts() -> Iterator[tuple[str, dict]]:
    """``('backbone' or 'head', its config)``, 300 of them."""
    for part in ('backbone', 'head'):
        yield from ((part, hostile) for hostile in (*CALLS, *NO_NETWORKS))
    for place in PLACES:
        yield from (('backbone', place(hostile)) for hostile in (*CALLS, *NO_LAYERS))
    yield from (('backbone', hostile) for hostile in SETTINGS)
    yield from (('head', hostile) for hostile in HEADS)


def hostile_architectures(canary: Path) -> list[dict]:
    """Descriptions as a JSON file or a checkpoint has them, one hostile part in each."""
    found = []
    for part, hostile in hostile_parts():
        network = {'backbone': CIFAR, 'head': LINEAR, 'input_shape': [3, 8, 8], part: hostile}
        found.append(_pointed_at(deepcopy(network), str(canary)))
    for shape in ([3, 10**6, 10**6], [3, 40_000, 40_000], [10**9, 1, 1]):
        found.append({'backbone': CIFAR, 'head': LINEAR, 'input_shape': shape})
    return [{'channels': {}, **one} for one in found]


def _pointed_at(value: object, canary: str) -> object:
    if isinstance(value, dict):
        return {key: _pointed_at(item, canary) for key, item in value.items()}
    if isinstance(value, list):
        return [_pointed_at(item, canary) for item in value]
    return value.replace(CANARY, canary) if isinstance(value, str) else value


def write_evil_package(folder: Path, canary: Path) -> None:
    """The package that none may import."""
    code = f'from pathlib import Path\nPath({str(canary)!r}).touch()\n'
    code += 'import torch\nclass Net(torch.nn.Identity): pass\n'
    for name in ('__init__', 'inner', 'registry'):
        (folder / EVIL).mkdir(exist_ok=True)
        (folder / EVIL / f'{name}.py').write_text(code)
