"""``timm:NAME`` and ``torchvision:NAME``: from the libraries' caches, or one message."""

import time
from pathlib import Path

import pytest
import torch
import torchvision
from mmengine.runner import CheckpointLoader
from safetensors.torch import save_file

from rethink_det import Study, load_config, with_backbone
from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.convert import library_weights
from rethink_det.convert.library_weights import library_checkpoint, library_name
from rethink_det.errors import UserError
from rethink_det.packages import is_library_name
from rethink_det.training.hooks import TransferHook
from tests.detection.datasets.coco_layouts import write_layout

SMALL = 'shufflenet_v2_x0_5'
WEIGHTS = torchvision.models.get_model_weights(SMALL).DEFAULT


@pytest.fixture
def caches(tmp_path, monkeypatch):
    """Empty ones of all, and no network to fill them from."""
    hub = pytest.importorskip('huggingface_hub')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'own'))
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'torch'))
    monkeypatch.setattr(hub.constants, 'HF_HUB_CACHE', str(tmp_path / 'hf'))

    def unreachable(*_, **__):
        raise OSError('Name or service not known')

    monkeypatch.setattr(library_weights, 'urlopen', unreachable)
    return tmp_path


@torch.no_grad()
def theirs(make, unsettle, **settings):
    torch.manual_seed(0)
    return unsettle(make(**settings)).eval()


@pytest.fixture
def of_torchvision(caches, unsettle):
    """Puts a network's weights where torchvision keeps what it downloads; gives the network."""
    network = theirs(torchvision.models.shufflenet_v2_x0_5, unsettle, weights=None)
    file = caches / 'torch/hub/checkpoints' / Path(WEIGHTS.url).name
    file.parent.mkdir(parents=True)
    torch.save(network.state_dict(), file)
    return network


@pytest.fixture
def of_timm(caches, unsettle):
    """Likewise of timm, in the layout of Hugging Face's cache."""
    timm = pytest.importorskip('timm')
    network = theirs(lambda: timm.create_model('test_resnet'), unsettle)
    repository = caches / 'hf/models--timm--test_resnet.r160_in1k'
    (repository / 'refs').mkdir(parents=True)
    (repository / 'refs/main').write_text('0123')
    (repository / 'snapshots/0123').mkdir(parents=True)
    save_file(network.state_dict(), repository / 'snapshots/0123/model.safetensors')
    return network


@torch.no_grad()
def same(path, network, side=64):
    checkpoint = Checkpoint.read(path)
    ours = PrunedArchitecture.load(checkpoint).network_with(checkpoint.weights).eval()
    image = torch.randn(1, 3, side, side)
    return torch.allclose(ours(image), network(image), rtol=1e-4, atol=1e-4)


def test_weights_of_torchvision(of_torchvision):
    path = library_checkpoint(f'torchvision:{SMALL}')
    assert same(path, of_torchvision)
    checkpoint = Checkpoint.read(path)
    assert checkpoint.input_convention.mean == (123.675, 116.28, 103.53)
    assert checkpoint.provenance.arm == 'converted'
    assert checkpoint.provenance.parent.name == f'torchvision.{SMALL}.IMAGENET1K_V1.pth'
    assert library_name(path) == f'torchvision:{SMALL}.IMAGENET1K_V1'
    assert library_name('elsewhere.pth') is None
    assert library_checkpoint(f'torchvision:{SMALL}.IMAGENET1K_V1') == path
    (Path(torch.hub.get_dir()) / 'checkpoints' / Path(WEIGHTS.url).name).unlink()
    assert library_checkpoint(f'torchvision:{SMALL}') == path


def test_weights_of_timm(of_timm):
    path = library_checkpoint('timm:test_resnet')
    assert same(path, of_timm) and library_name(path) == 'timm:test_resnet.r160_in1k'
    architecture = PrunedArchitecture.load(path)
    assert architecture.backbone['model_name'] == 'test_resnet'
    assert architecture.input_shape == (3, 160, 160)


def test_every_command_takes_them(of_timm, command, refusal, tmp_path):
    out = tmp_path / 'copy.pth'
    done = command('convert', 'timm:test_resnet', '-o', out)
    assert done.status == 0 and done.out.splitlines()[-1].startswith('images: RGB, mean 127.5')
    assert (
        Checkpoint.read(out).digest
        == Checkpoint.read(library_checkpoint('timm:test_resnet')).digest
    )
    assert 'parameters' in command('card', 'timm:test_resnet').out
    assert command('analyze', 'cost', 'timm:test_resnet').status == 0
    told = refusal('convert', 'timm:test_resnet', '-o', out, '--base', 'resnet18')
    assert 'timm:test_resnet.r160_in1k says itself what it is' in told
    told = refusal('card', 'timm:test_resnt')
    assert "timm has no weights 'test_resnt'; of about that name are test_resnet" in told


def test_a_config_names_them_as_any_file(of_timm):
    content = CheckpointLoader.load_checkpoint('timm:test_resnet', map_location='cpu')
    assert content['state_dict'].keys() >= {'head.fc.weight', 'backbone.network.conv1.0.weight'}
    hook = TransferHook('unpruned', 'timm:test_resnet')
    assert hook.checkpoint == library_checkpoint('timm:test_resnet')
    with pytest.raises(UserError, match="timm has no weights 'test_resnt'"):
        TransferHook('unpruned', 'timm:test_resnt')


def test_a_detector_and_a_study_take_them(of_timm, command, tmp_path, monkeypatch):
    config = load_config('mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py')
    adapted = with_backbone(config, 'timm:test_resnet', 'unpruned')
    assert adapted.config.model.data_preprocessor.mean == [127.5] * 3
    monkeypatch.chdir(tmp_path)
    data = write_layout(tmp_path / 'data', 'coco')
    done = command('init', '--data', data, '--backbone', 'timm:test_resnet')
    assert done.status == 0, done.err
    assert "parent='timm:test_resnet.r160_in1k'" in Path('study.py').read_text()
    plan = Study.load('study.py').classification
    assert plan.parent == library_checkpoint('timm:test_resnet')


def test_without_a_network_there_is_one_message_at_once(caches, refusal, tmp_path):
    start = time.perf_counter()
    for name in (f'torchvision:{SMALL}', 'timm:test_resnet'):
        told = refusal('convert', name, '-o', tmp_path / 'out.pth')
        assert 'its weights are in no cache' in told and 'Name or service not known' in told
    assert time.perf_counter() - start < 20
    assert not (tmp_path / 'out.pth').exists() and not list(caches.rglob('*.pth'))


@pytest.mark.parametrize(
    'name, message',
    [
        ('torchvision:shuflenet_v2_x0_5', "no weights 'shuflenet_v2_x0_5'; of about .* shufflenet"),
        (f'torchvision:{SMALL}.IMAGENET1K_V9', "no weights 'IMAGENET1K_V9'; .* IMAGENET1K_V1"),
        ('timm:test_resnet.nothing', "timm has no weights 'nothing'; .* r160_in1k"),
        ('timm:../../etc/passwd', "timm has no weights '../../etc/passwd'"),
        ('timm:hf-hub:someone/something', 'timm has no weights'),
        ('torchvision://resnet18', 'is no timm:NAME'),
    ],
)
def test_what_has_no_such_name_is_refused_with_what_is_alike(name, message, caches):
    with pytest.raises(UserError, match=message):
        library_checkpoint(name)


def test_weights_of_something_else_name_their_file(caches):
    file = caches / 'torch/hub/checkpoints' / Path(WEIGHTS.url).name
    file.parent.mkdir(parents=True)
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), file)
    with pytest.raises(UserError, match=rf'torchvision:{SMALL} \(.*{file.name}\)'):
        library_checkpoint(f'torchvision:{SMALL}')
    file.write_bytes(b'PK nothing')
    with pytest.raises(UserError, match='is no checkpoint, or a damaged one'):
        library_checkpoint(f'torchvision:{SMALL}')
    assert not list((caches / 'own').rglob('*.pth'))


def test_a_file_of_that_name_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert is_library_name('timm:resnet18') and not is_library_name('torchvision://resnet18')
    assert not is_library_name('timm.resnet18') and not is_library_name(None)
    Path('timm:resnet18').touch()
    assert not is_library_name('timm:resnet18')
