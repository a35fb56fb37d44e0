"""Every shipped study: its plan expands, and each run's config follows from those before it."""

import re
from collections import Counter
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import save_checkpoint
from rethink_det.classification.arm_config import classifier_architecture
from rethink_det.report import RunResult
from rethink_det.study.config import Study
from rethink_det.study.graph import runs_of
from rethink_det.study.nodes import GivenClassifier, PublishedArchitecture
from rethink_det.study.recipe import Recipe
from rethink_det.study.stages import AdoptClassifier, stage_of
from rethink_det.training.config import load_config

STUDIES = Path(__file__).resolve().parents[1] / 'configs' / 'studies'
NAMES = sorted(str(path.relative_to(STUDIES)) for path in STUDIES.rglob('*.py'))
LONGEST = 'detection/coco_r50_thinet.py'  # three variants in every way, in two detectors
# Arms that start from no weights.
RANDOM = dict(classification=('scratch-e', 'scratch-b'), detection=('random',))


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


def is_long(name):
    """Whether it has many runs, or large networks, or is CIFAR-10's with more classes."""
    return name == LONGEST or any(word in str(name) for word in ('imagenet', 'cifar100'))


@pytest.mark.parametrize(
    'name',
    [pytest.param(n, marks=[pytest.mark.slow] if is_long(n) else []) for n in NAMES],
)
def test_study_is_planned_and_its_runs_resolve(name, loaded_once, tmp_path):
    study = Study.load(STUDIES / name)
    stages = {run.stage for run in runs_of(study)}
    assert {'classification', 'pruning'} <= stages
    assert ('detection' in stages) == bool(study.detection)
    arms = {arm for plan in study.detection for arm in plan.arms}
    assert ('detector-pruning' in stages) == ('prune-d' in arms)
    results, identities = {}, set()
    for run in runs_of(study):
        if run.seed == study.seeds[0]:
            stage = stage_of(run, results)  # its parents come before it
            config = stage.config()
            assert_trains_what_its_arm_says(stage, config)
            results[run.key] = stand_in(run, config, tmp_path)
            if not isinstance(stage, AdoptClassifier):  # its file is not there
                identities.add(Recipe.of(stage, config).digest)
    given = isinstance(runs_of(study)[0], GivenClassifier)
    assert len(identities) == len(results) - given  # no two would share a folder


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


def stand_in(run, config, folder) -> RunResult:
    """What a run would result in but for weights and masks, which arise only in a real one.

    A pruner without a target in its config leaves everything there, and a published shape in
    place of a pruner has no weights.
    """
    shape = getattr(run, 'pruner', {}).get('target') or getattr(run, 'architecture', None)
    detects = run.stage in ('detection', 'detector-pruning')
    if shape or not detects:
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
        assert given == (set() if stage.run.arm in RANDOM[stage.run.stage] else {str(files[-1])})
