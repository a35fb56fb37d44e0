"""What a row of the paper's tables plans is what it planned when it was a study of its own.

``paper_rows.json`` holds digests of those plans, made by the version before rows became variants:
of each row its seeds and runs, a run by its key without the seed, and of each training config.
Four things are different since then, and all are looked after here: a key has the name of the
variant in it, a parent that several rows share has its published number in all of them, on
ImageNet there are three seeds, and controls beside the rows, and soft filter pruning has its
authors' network.
"""

import hashlib
import json
from dataclasses import asdict
from functools import cache
from pathlib import Path

import pytest

from rethink_det.study.config import Study
from rethink_det.study.graph import runs_of
from rethink_det.study.names import find_study
from rethink_det.study.nodes import (
    ClassifierPruning,
    ClassifierTraining,
    DetectorPruning,
    PublishedArchitecture,
    Run,
)
from rethink_det.training.config import load_config

TESTS = Path(__file__).resolve().parent
CONFIGS = TESTS.parent / 'configs'
BEFORE = json.loads((TESTS / 'paper_rows.json').read_text())
ROWS = sorted(BEFORE['rows'])
DETECTION = 'paper/voc_faster-rcnn_r34_l1norm'
LARGE = ('paper/imagenet', 'detection/coco', DETECTION)
THREE_SINCE = [0, 1, 2]
SHARED_SINCE = {
    f'paper/cifar10_{net}_lottery-l1norm-{letter}' for net in ('resnet56', 'resnet110')
    for letter in 'ab'
}  # fmt: skip


def digest(content) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


@cache
def whole(file) -> Study:
    return Study.load(file)


def planned(row) -> Study:
    """The row's study, read once for all its rows."""
    file, variants = find_study(row)
    plan = whole(file).classification
    names = variants or [name for name in plan.variant_names if not plan.of(name).widths_of]
    return whole(file).restricted(names) if any(names) else whole(file)


def old_key(key: str, variants) -> str:
    """A run's key without seed and without the row's one variant, which has been put in since."""
    words = key.split('/')[:-1]
    return '/'.join(word for word in words if [word] != list(variants))


def told(run: Run, study: Study) -> dict:
    """What a run is told besides its config, as the study has it."""
    match run:
        case ClassifierPruning() | DetectorPruning():
            return {'pruner': run.pruner}
        case PublishedArchitecture():
            return {'architecture': run.architecture}
        case ClassifierTraining(pruned=Run()):
            settings = dict(study.classification.of(run.variant).arm_settings)
            assert settings.pop('rounding') == 'floor'  # the only way there was
            assert settings.pop('flops') == 'all-layers'
            return settings
    return {}


def parents_of(run: Run) -> list[str]:
    """Keys of the runs it needs; a published shape waited for the unpruned network, once."""
    if isinstance(run, PublishedArchitecture):
        return [f'classification/{Path(run.config).stem}/unpruned/seed{run.seed}']
    return list(dict.fromkeys(parent.key for parent in run.parents.values()))


def content(run: Run, study: Study, variants) -> dict:
    """All that decides what a run does, seed aside."""
    return dict(
        stage=run.stage,
        arm=run.arm,
        round=run.round,
        config=Path(run.config).relative_to(CONFIGS).as_posix(),
        options=run.options,
        epochs=run.epochs,
        settings=told(run, study),
        parents=[old_key(parent, variants) for parent in parents_of(run)],
    )


@pytest.mark.parametrize('row', ROWS)
def test_a_row_plans_what_it_planned_as_a_study_of_its_own(row):
    variants = find_study(row)[1]
    assert (len(variants) == 1) == (not (CONFIGS / 'studies' / f'{row}.py').exists())
    runs, references, seeds = {}, {}, {}
    study = planned(row)
    for run in runs_of(study):
        key = old_key(run.key, variants)
        seeds.setdefault(key, []).append(run.seed)
        assert runs.setdefault(key, digest(content(run, study, variants))) == runs[key]
        if run.reference:
            references[key] = digest(asdict(run.reference))
    before = BEFORE['rows'][row]
    assert runs == before['runs']
    expected = THREE_SINCE if row.startswith(LARGE) else before['seeds']
    assert list(seeds.values()) == [expected] * len(runs)
    if row in SHARED_SINCE:
        (parent,) = (key for key in references if key not in before['references'])
        assert parent.endswith('/unpruned')
        del references[parent]
    assert references == before['references']


def network_before(model) -> None:
    """Put back what soft filter pruning was run on; all else must be as it was."""
    assert model.backbone.shortcut == 'subsample-append' and model.head.pop('init_std') == 'kaiming'
    model.backbone.shortcut = 'avgpool'


@pytest.mark.parametrize('training', BEFORE['training'])
def test_a_training_config_is_what_it_was(training):
    name, options = training.split(' ', 1)
    config = load_config(CONFIGS / 'classification' / f'{name}.py', json.loads(options))
    if 'soft-filter' in name:
        network_before(config.model)
    assert digest(config.to_dict()) == BEFORE['training'][training]


def test_every_row_trains_one_of_those_configs():
    used = {
        f'{Path(plan.config).stem} {json.dumps(plan.options, sort_keys=True)}'
        for plan in (planned(row).classification for row in ROWS)
    }
    assert used == set(BEFORE['training'])


def test_no_two_studies_train_the_same_parent():
    parents = []
    for path in sorted((CONFIGS / 'studies' / 'paper').glob('*.py')):
        if path.stem != Path(DETECTION).name:  # the detectors' classifier is ResNet-34's
            plan = whole(str(path)).classification
            parents.append((plan.config, json.dumps(plan.options, sort_keys=True), plan.parent))
    assert len(set(parents)) == len(parents)
