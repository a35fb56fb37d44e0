"""A real network, cut by Torch-Pruning and tuned in plain PyTorch, against its shape from scratch.

ResNet-56 with public CIFAR-10 weights, on a fiftieth of the training images: a trial of all the
parts, no result. About ten minutes on two cores.
"""

import tarfile

import pytest
import torch
import torch_pruning as tp
from torch import nn
from torch.nn import functional
from torchvision import datasets, transforms

from rethink_det.architecture.checkpoint import load_checkpoint
from rethink_det.report import StudyResults

pytestmark = pytest.mark.slow
IMAGES, EPOCHS, SEEDS = 1000, 2, (0, 1, 2)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Block(nn.Module):
    """Two convolutions; where the size is halved, every second pixel and zeros on both sides."""

    def __init__(self, before, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.stride, self.pad = stride, (width - before) // 2

    def forward(self, x):
        inside = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        x = x[:, :, :: self.stride, :: self.stride]
        return functional.relu(inside + functional.pad(x, (0, 0, 0, 0, self.pad, self.pad)))


class Plain(nn.Module):
    """A ResNet-56 as anyone writes it."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        before = 16
        for number, width in enumerate((16, 32, 64), start=1):
            blocks = []
            for place in range(9):
                blocks.append(Block(before, width, 2 if number > 1 and place == 0 else 1))
                before = width
            setattr(self, f'layer{number}', nn.Sequential(*blocks))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


def cut(network):
    """A quarter of the filters of each block's first convolution, by Torch-Pruning."""
    graph = tp.DependencyGraph().build_dependency(network, torch.zeros(1, 3, 32, 32))
    for block in [module for module in network.modules() if isinstance(module, Block)]:
        score = block.conv1.weight.detach().abs().sum((1, 2, 3))
        gone = score.argsort()[: len(score) // 4].tolist()
        graph.get_pruning_group(block.conv1, tp.prune_conv_out_channels, gone).prune()


def some(folder, split):
    """A fiftieth, or a tenth, of the images as plain PyTorch reads them."""
    change = transforms.Compose([transforms.ToTensor(), transforms.Normalize(MEAN, STD)])
    images = datasets.ImageFolder(folder / 'cifar10' / split, change)
    chosen = torch.utils.data.Subset(images, range(0, len(images), len(images) // IMAGES))
    return torch.utils.data.DataLoader(chosen, 50, shuffle=split == 'train')


def tune(network, folder):
    """Two epochs at a low learning rate."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    network.train()
    for inputs, labels in [batch for _ in range(2) for batch in some(folder, 'train')]:
        optimizer.zero_grad()
        functional.cross_entropy(network(inputs), labels).backward()
        optimizer.step()


@torch.no_grad()
def top1(network, folder):
    """In percent, of a tenth of the test images."""
    network.eval()
    hits = [network(inputs).argmax(1) == labels for inputs, labels in some(folder, 'test')]
    return 100 * torch.cat(hits).float().mean().item()


@pytest.fixture(scope='module')
def tuned(shared, tmp_path_factory):
    """A folder with the images and the file that the other tool wrote; what it scored there."""
    folder = tmp_path_factory.mktemp('baseline')
    with tarfile.open(shared / 'data' / 'cifar10_jpeg.tar.xz') as archive:
        archive.extractall(folder / 'data', filter='data')
    weights = load_checkpoint(shared / 'weights' / 'resnet56-4bfd9763.th')
    network = Plain()
    network.load_state_dict(
        {name.removeprefix('module.'): one for name, one in weights['state_dict'].items()}
    )
    cut(network)
    tune(network, folder / 'data')
    torch.save({'state_dict': network.state_dict(), 'epoch': 2}, folder / 'theirs.pth')
    return folder, top1(network, folder / 'data')


def test_it_is_told_apart_from_its_own_shape(tuned, command, monkeypatch):
    folder, theirs = tuned
    monkeypatch.chdir(folder)
    limits = [f'{split}_dataloader.dataset.limit={IMAGES}' for split in ('train', 'val', 'test')]
    norm = [f'model.data_preprocessor.{key}={value}' for key, value in convention().items()]
    asked = ('--config', 'classification/resnet56_cifar10.py', '--epochs', EPOCHS, '--work-dir',
             'work', '--workers', 2, '--seeds', *SEEDS)  # fmt: skip
    # Tensors do not tell that every second pixel is taken; the config's network takes averages.
    keys = [*limits, *norm, 'model.backbone.shortcut=subsample']
    done = command('baseline', 'theirs.pth', *asked, '--cfg-options', *keys)
    assert done.status == 0, done
    runs = [run for run in StudyResults.read('work').runs if run.stage == 'classification']
    (given,) = [run for run in runs if run.is_given]
    # It was read right: the same but for which tenth of the test images it is.
    assert theirs > 40 and given.metrics['accuracy/top1'] == pytest.approx(theirs, abs=6)
    trained = {run.arm for run in runs if not run.is_given}
    assert trained == {'rewind', 'scratch-e', 'scratch-b'} and len(runs) == 1 + 3 * len(SEEDS)
    for verdict in StudyResults.read('work').verdicts:
        ours = verdict.comparison.baseline == given.arm
        assert (verdict.scope, verdict.one_network) == (
            ('parent', True) if ours else ('parent', False)
        )
        if ours:  # of a fiftieth of the images nothing is learned from scratch in two epochs
            assert verdict.outcome == 'worse' and verdict.method.startswith('one-sample t')
    print(done.out[:1500])
    assert 'nherited weights mattered' in done.out and 'for this one network' in done.out


def convention():
    """How these weights want their images, on the 0..255 scale."""
    return {'mean': [255 * m for m in MEAN], 'std': [255 * s for s in STD]}


def test_read_as_another_network_it_is_refused(tuned, command, monkeypatch):
    folder, _ = tuned
    monkeypatch.chdir(folder)
    norm = [f'model.data_preprocessor.{key}={value}' for key, value in convention().items()]
    asked = ('--config', 'classification/resnet56_cifar10.py', '--epochs', 1, '--work-dir',
             'wrong', '--seeds', 0, '--arms', 'rewind')  # fmt: skip
    limits = [f'{split}_dataloader.dataset.limit={IMAGES}' for split in ('train', 'val', 'test')]
    done = command('baseline', 'theirs.pth', *asked, '--cfg-options', *limits, *norm)
    assert done.status == 1
    said = done.out + done.err
    assert "shortcut 'subsample' there, 'avgpool' here" in said
    assert 'guessing among 10 classes 10 %: it is not read as it was trained' in said


def test_the_recipe_of_another_network_is_refused(tuned, command):
    folder, _ = tuned
    asked = ('--config', 'classification/resnet110_l1norm_cifar10.py', '--work-dir', folder / 'no')
    done = command('baseline', folder / 'theirs.pth', *asked)
    assert done.status != 0 and 'theirs.pth' in done.out + done.err
