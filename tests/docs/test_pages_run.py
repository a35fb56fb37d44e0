"""Every page that shows something to do is done, from top to bottom, in an empty folder.

Trainings are cut to one epoch. What a page takes for granted (a user's photos, a trained network)
is made first, see ``PREPARED``.
"""

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch_pruning as tp
from torchvision.models import resnet50

from rethink_det.architecture import Checkpoint, Provenance
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.arms import ARMS, CLASSIFICATION
from rethink_det.classification.arm_config import classifier_architecture
from rethink_det.datasets.shapes import build_shapes
from rethink_det.report.results import StudyResults
from rethink_det.training.config import find_config, load_config
from tests.detection.datasets.coco_layouts import write_layout
from tests.docs import shown
from tests.report.rows import classification

ELSEWHERE = {
    'docs/studies.md': shown.ROOT / 'tests' / 'docs' / 'test_studies.py',
    'docs/tutorials/photos.md': shown.ROOT / 'tests' / 'docs' / 'test_photos.py',
    'docs/segmentation.md': shown.ROOT / 'tests' / 'docs' / 'test_segmentation.py',
}
"""Pages that have a test of their own, which looks at what is printed, too."""
UNPRUNED = ARMS.reference(CLASSIFICATION).name
LONGER = {'README.md': 'docs/quick_start.md'}
"""Pages of which everything is also shown on a longer one, which is run."""
RECIPE = 'classification/resnet18-w16_shapes.py'
FEWER = [
    (r'(epoch_|epochs[= ])\d+', r'\g<1>1'),
    (r'--seeds 0 1 2 --epochs', '--seeds 0 --epochs'),
]
"""What is written otherwise in command lines, so that they take minutes."""
SMALL = """
for split in ('train', 'val', 'test'):
    study['classification'].setdefault('options', {{}}).update({{
        f'{{split}}_dataloader.dataset.data_root': {root!r},
        f'{{split}}_dataloader.dataset.crops': [160, 40],
        f'{{split}}_dataloader.dataset.images': [8, 4],
    }})
"""


def classifier(path):
    """A checkpoint of the recipe's network, untrained, that says it was trained."""
    torch.manual_seed(0)
    config = load_config(find_config(RECIPE))
    architecture = classifier_architecture(config)
    path.parent.mkdir(parents=True, exist_ok=True)
    Checkpoint(
        state_dict=architecture.build_network().state_dict(),
        architecture=architecture.to_dict(),
        provenance=replace(Provenance.unknown(), arm=UNPRUNED, seed=0),
        input_convention=InputConvention.of_settings(config.model.data_preprocessor),
    ).write(path)


def my_data(folder):
    write_layout(folder / 'photos', 'coco')
    classifier(folder / 'classifier.pth')


def my_backbone(folder):
    """torchvision's weights, the same cut by Torch-Pruning, and a trained classifier."""
    network = resnet50()
    torch.save(network.state_dict(), folder / 'resnet50.pth')
    images, importance = torch.randn(1, 3, 64, 64), tp.importance.MagnitudeImportance()
    settings = dict(pruning_ratio=0.25, ignored_layers=[network.fc])
    tp.pruner.MagnitudePruner(network, images, importance, **settings).step()
    torch.save(network.state_dict(), folder / 'cut.pth')
    classifier(folder / 'work_dirs' / 'parent' / 'epoch_1.pth')


def studied(*names):
    """Makes folders of finished studies."""

    def write(folder):
        for number, name in enumerate(names):
            shift = 0.1 * number
            runs = classification(
                fine_tune=[80 + shift, 81, 82], scratch_b=[84, 85, 86], scratch_e=[79, 80, 81]
            )
            (folder / 'work_dirs' / name).mkdir(parents=True)
            StudyResults(name, tuple(runs)).write(folder / 'work_dirs' / name)

    return write


PREPARED = {
    'docs/statistics.md': studied('demo'),
    'docs/coupled_groups.md': lambda folder: (
        classifier(folder / 'trained.pth'),
        load_config(find_config(RECIPE)).dump(folder / 'config.py'),
    ),
    'docs/tutorials/my_backbone.md': my_backbone,
    'docs/tutorials/my_data.md': my_data,
    'docs/tutorials/my_pruner.md': lambda folder: classifier(folder / 'parent.pth'),
    'docs/tutorials/report.md': studied('mine', 'other'),
}
"""What a page takes for granted."""


def to_run(file):
    found = [block for block in shown.blocks(file) if block.kind in shown.SHOWN]
    return [block for block in found if not block.reason]


PAGES = [file.relative_to(shown.ROOT).as_posix() for file in shown.pages() if to_run(file)]


def written(block, folder):
    """Write the file that a block is; a study's data is made small."""
    text = block.text
    if 'study = dict(' in text:
        root = build_shapes(folder / 'shapes', crops=(160, 40), images=(8, 4))
        text += SMALL.format(root=str(root))
    (folder / block.title).write_text(text)


def shorter(words):
    """A command line that takes less long."""
    line = shlex.join(words)
    for pattern, less in FEWER:
        line = re.sub(pattern, less, line)
    epochs = ['--cfg-options', 'train_cfg.max_epochs=1'] if words[0] == 'train' else []
    return [*shlex.split(line), *epochs]


def test_every_page_is_run_by_some_test():
    assert set(ELSEWHERE) <= set(PAGES) and set(PREPARED) <= set(PAGES) - set(ELSEWHERE)
    assert {'README.md', 'docs/quick_start.md'} <= set(PAGES)
    for page, test in ELSEWHERE.items():
        assert test.is_file() and Path(page).name in test.read_text()


@pytest.mark.parametrize('page', LONGER)
def test_a_short_page_shows_what_the_longer_one_does(page):
    there = to_run(shown.ROOT / LONGER[page])
    commands = [words for block in there for words in block.commands]
    for block in to_run(shown.ROOT / page):
        assert all(words in commands for words in block.commands)
        assert block.commands or block.text in [other.text for other in there]


@pytest.mark.slow
@pytest.mark.parametrize('page', sorted(set(PAGES) - set(ELSEWHERE) - set(LONGER)))
def test_a_page_runs_from_top_to_bottom(page, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    PREPARED.get(page, lambda folder: None)(tmp_path)
    names = {'__name__': 'page'}
    for block in to_run(shown.ROOT / page):
        if block.title:
            written(block, tmp_path)
        elif block.kind == 'python':
            exec(compile(block.text, f'{page}:{block.line}', 'exec'), names)
        else:
            assert len(block.commands) == len(block.lines), f'{page}:{block.line} has others'
        for words in block.commands:
            done = command(*shorter(words))
            assert done.status == 0, (words, done.err)


@pytest.mark.slow
def test_a_page_that_takes_for_granted_what_is_not_there_is_refused(tmp_path, monkeypatch, refusal):
    monkeypatch.chdir(tmp_path)
    (block, *_) = to_run(shown.ROOT / 'docs/tutorials/my_data.md')
    with pytest.raises(FileNotFoundError):
        (tmp_path / 'photos').stat()
    assert 'photos' in refusal(*block.commands[0])
