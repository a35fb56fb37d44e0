"""Every shipped study: its plan expands, and each run's config follows from those before it.

What the large ones cost is added up: images times epochs times three forward passes, at
:data:`RATE` of them a second. That is what their docstrings say.
"""

import re
from collections import Counter
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import save_checkpoint
from rethink_det.arms import ARMS, BudgetRule
from rethink_det.classification.arm_config import classifier_architecture
from rethink_det.detection.measuring.cost import detector_cost
from rethink_det.report import RunResult
from rethink_det.study.config import Study
from rethink_det.study.graph import runs_of
from rethink_det.study.nodes import GivenClassifier, PublishedArchitecture
from rethink_det.study.recipe import Recipe
from rethink_det.study.stages import AdoptClassifier, stage_of
from rethink_det.study.stages.train_classifier import TrainClassifier
from rethink_det.study.stages.train_detector import TrainDetector
from rethink_det.training.config import load_config
from tests.needing_mmseg import check_mmseg
from tests.tiny_data import write_coco

STUDIES = Path(__file__).resolve().parents[1] / 'configs' / 'studies'
NAMES = sorted(str(path.relative_to(STUDIES)) for path in STUDIES.rglob('*.py'))
LARGE = ('imagenet', 'coco', 'voc')
RATE = 1e13
"""Multiply-adds a second: 20 effective TFLOP/s."""
IMAGES = {'rethink_det.ImageNet': 1_281_167, 'CocoDataset': 117_266, 'VOCDataset': 5_011}
"""Training images of the data sets that no test has."""
SIZES = {'CocoDataset': (3, 800, 1344), 'VOCDataset': (3, 608, 1024)}
DETECTORS: dict[tuple, int] = {}
"""MACs of those that were counted."""
COSTS = re.compile(
    r'^Cost: (about|at most) ([\d,]+) GPU hours, ([\d,]+) for one seed( without controls)?[ ,]',
    re.M,
)
# Arms that start from no weights.
RANDOM = dict(classification=('scratch-e', 'scratch-b'), detection=('random', 'scratch-d'))
RANDOM['segmentation'] = ('random',)


@pytest.fixture
def loaded_once(monkeypatch):
    """The runs of a study read the same configs; those on mmdet's bases take half a second."""
    known = {}

    def load_once(path, options):
        key = f'{path} {options}'
        if key not in known:
            known[key] = load_config(path, options)
        return deepcopy(known[key])

    monkeypatch.setattr('rethink_det.study.stages.stage.load_config', load_once)


@pytest.fixture
def given(monkeypatch, tmp_path):
    """A folder with what the study of detectors alone is given: a trained network, and photos."""
    monkeypatch.chdir(tmp_path)
    config = load_config(STUDIES.parent / 'classification' / 'resnet18-w16_shapes.py')
    architecture = classifier_architecture(config)
    meta = {'architecture': architecture.to_dict()}
    state = architecture.build_network().state_dict()
    file = tmp_path / 'work_dirs' / 'parent' / 'epoch_24.pth'
    file.parent.mkdir(parents=True)
    save_checkpoint({'meta': meta, 'state_dict': state}, file)
    write_coco(tmp_path / 'data' / 'raccoon', ['raccoon'])


def is_long(name):
    """Whether it has many runs, or large or deep networks, or is CIFAR-10's with more classes."""
    controls = 'controls=True' in (STUDIES / name).read_text()
    words = ('imagenet', 'cifar100', 'detection/', 'resnet110', 'preresnet164', 'bc-100')
    words += (
        'densenet40',
        'raccoon',
        'vgg19',
        '_small-lr',
        '_soft-filter',
        'paper/cifar10_resnet56.py',
    )
    return controls or any(word in name for word in words)


@pytest.mark.parametrize(
    'name',
    [pytest.param(n, marks=[pytest.mark.slow] if is_long(n) else []) for n in NAMES],
)
def test_study_is_planned_and_its_runs_resolve(name, loaded_once, given, tmp_path):
    check_mmseg(name)
    study = Study.load(STUDIES / name)
    stages = {run.stage for run in runs_of(study)}
    assert {'classification'} <= stages
    assert ('pruning' in stages) == bool(study.classification.config)  # else detectors alone
    assert ('detection' in stages) == bool(study.detection)
    assert ('segmentation' in stages) == bool(study.segmentation)
    arms = {arm for plan in study.detection for arm in plan.arms}
    assert ('detector-pruning' in stages) == ('prune-d' in arms)
    identities, runs = set(), 0
    for stage, config, _ in resolved(study, tmp_path):
        runs += 1
        if not isinstance(stage, AdoptClassifier):  # nothing is trained
            assert_trains_what_its_arm_says(stage, config)
            identities.add(Recipe.of(stage, config).digest)
    given = isinstance(runs_of(study)[0], GivenClassifier)
    assert len(identities) == runs - given  # no two would share a folder


@pytest.mark.slow
@pytest.mark.parametrize('name', [name for name in NAMES if any(key in name for key in LARGE)])
def test_a_large_study_costs_what_its_docstring_says(name, loaded_once, tmp_path):
    """To two digits; of all its seeds, and of one without controls."""
    study = Study.load(STUDIES / name)
    plan = study.classification
    controls = [variant for variant in plan.variant_names if plan.of(variant).widths_of]
    whole = alone = 0.0
    for stage, config, result in resolved(study, tmp_path):
        took = hours(stage, config, result)
        whole += len(study.seeds) * took
        alone += took * (stage.run.variant not in controls)
    print(f'{name}: {whole:.0f} hours, {alone:.0f} for one seed without controls')
    said = COSTS.search((STUDIES / name).read_text())
    assert said is not None and bool(said[4]) == bool(controls)
    numbers = [float(said[group].replace(',', '')) for group in (2, 3)]
    assert numbers == pytest.approx([whole, alone], rel=0.05)


def test_readme_of_the_detection_studies_lists_each_and_its_runs():
    folder = STUDIES / 'detection'
    rows = re.findall(
        r'^\|.*?\| `rethink-det study (detection/\S+)` \|.*\| (\d+), (\d+) \|[^|]*\|$',
        (folder / 'README.md').read_text(),
        re.MULTILINE,
    )
    found = {}
    for name in (n for n in NAMES if n.startswith('detection/')):
        stages = Counter(run.stage for run in runs_of(Study.load(STUDIES / name)))
        found[name.removesuffix('.py')] = (stages['classification'], stages['detection'])
    assert {name: (int(a), int(b)) for name, a, b in rows} == found


def resolved(study, folder):
    """(stage, config, result) of every run of the first seed; the results are stand-ins."""
    results = {}
    for run in runs_of(study):
        if run.seed == study.seeds[0]:
            stage = stage_of(run, results)  # its parents come before it
            config = stage.config()
            results[run.key] = stand_in(run, config, results, folder)
            yield stage, config, results[run.key]


def hours(stage, config, result) -> float:
    """GPU hours of a training; 0 of all else."""
    if not isinstance(stage, TrainClassifier | TrainDetector):
        return 0.0
    data, images = config.train_dataloader.dataset, 1
    while data.get('dataset'):
        images, data = images * data.get('times', 1), data.dataset
    images *= IMAGES[data.type]
    shape = PrunedArchitecture.load(result.architecture_path)
    detects = isinstance(stage, TrainDetector)
    macs = detector_macs(config, data.type, shape) if detects else shape.cost().macs
    epochs = config.train_cfg.max_epochs * stretched(stage.run)
    return 3 * macs * images * epochs / RATE / 3600


def stretched(run) -> float:
    """How much longer Scratch-B is for the weights that a mask removes, which a stand-in lacks."""
    pruner = getattr(getattr(run, 'pruned', None), 'pruner', {})
    if pruner.get('type') != 'MagnitudePruner':
        return 1.0
    equal = ARMS.get(run.stage, run.arm).budget is BudgetRule.STRETCHED
    return 1 / (1 - pruner['ratio']) if equal else 1.0


def detector_macs(config, kind, shape) -> int:
    """Of a whole detector at the size of its training images."""
    key = config.model.type, kind, shape.shape().digest
    if key not in DETECTORS:
        DETECTORS[key] = detector_cost(config, SIZES[kind]).whole.macs
    return DETECTORS[key]


def stand_in(run, config, results, folder) -> RunResult:
    """What a run would result in but for weights and masks, which arise only in a real one.

    A pruner without a target in its config leaves everything there, unless another's widths are
    its target, and a published shape in place of a pruner has no weights.
    """
    shape = getattr(run, 'pruner', {}).get('target') or getattr(run, 'architecture', None)
    if getattr(run, 'widths', None) is not None:
        shape = results[run.widths.key].architecture_path
    detects = run.stage in ('detection', 'detector-pruning')
    if shape or not (detects or run.stage == 'segmentation'):
        architecture = PrunedArchitecture.load(shape) if shape else classifier_architecture(config)
    else:
        architecture = PrunedArchitecture.load(config.model.backbone.architecture)
    name = run.key.replace('/', '_')
    files = dict(architecture=f'{name}.json', root=folder)
    result = RunResult(run.stage, run.arm, run.seed, digest=run.key, **files)
    architecture.save(result.architecture_path)
    if isinstance(run, PublishedArchitecture):
        return result
    result = replace(result, checkpoint=f'{name}.pth')
    state = {name: torch.zeros(1) for name in ('backbone.x', 'neck.x' if detects else 'head.x')}
    meta = {'architecture': architecture.to_dict()}
    save_checkpoint({'meta': meta, 'state_dict': state}, result.checkpoint_path)
    return result


def assert_trains_what_its_arm_says(stage, config):
    """The parent's architecture and weights, the seed, and drops before the last epoch."""
    assert config.randomness.seed == stage.run.seed
    last = config.train_cfg.max_epochs
    for schedule in config.param_scheduler:
        if schedule.get('by_epoch', True):
            assert all(0 < epoch < last for epoch in schedule.get('milestones', ()))
            assert 0 < schedule.get('step_size', 1) < last
    if not stage.evaluates:
        return
    assert config.train_cfg.val_interval == last
    for parent in stage.parents.values():
        backbone = config.model.backbone
        assert backbone.type == 'rethink_det.PrunedBackbone'
        files = [parent.architecture_path]
        files += [parent.checkpoint_path] if parent.checkpoint else []
        assert backbone.architecture in map(str, files)
        given = {hook.checkpoint for hook in config.custom_hooks if hook.get('checkpoint')}
        drawn = stage.run.arm.partition('@')[0] in RANDOM[stage.run.stage]
        assert given == (set() if drawn else {str(files[-1])})
