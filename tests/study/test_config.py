"""A study config expands to its runs, or is refused with the key and what is valid."""

from pathlib import Path

import pytest

from rethink_det.errors import UserError
from rethink_det.study.config import Study

STUDIES = Path(__file__).resolve().parents[2] / 'configs' / 'studies'
PRUNER = dict(type='L1NormPruner', ratios=0.5)
NET = 'train_cfg = dict(max_epochs=1)\ntrain_dataloader = dict(batch_size=2, num_workers=0)\n'


@pytest.fixture
def load(tmp_path):
    """Reads a study of these parts; ``net.py`` and ``det.py`` exist beside it."""
    for name in ('net.py', 'det.py'):
        (tmp_path / name).write_text(NET)

    def load(options=None, detection=(), text=None, **parts):
        study = dict(
            seeds=parts.pop('seeds', [0, 1]),
            classification=dict(config='net.py', pruner=PRUNER) | parts.pop('classification', {}),
            detection=[dict(config='det.py') | plan for plan in detection],
            **parts,
        )
        path = tmp_path / 'mine.py'
        path.write_text(f'study = {study!r}' if text is None else text)
        return Study.load(path, options)

    return load


def keys(study):
    return [run.key for run in study.runs()]


def test_demo_expands_to_its_runs():
    study = Study.load(STUDIES / 'demo.py')
    net, det = 'resnet18-w16_shapes', 'faster-rcnn_r18-w16_fpn_shapes'
    expected = set()
    for seed in (0, 1):
        arms = ('unpruned', 'fine-tune', 'scratch-e', 'scratch-b')
        expected |= {f'classification/{net}/{arm}/seed{seed}' for arm in arms}
        expected.add(f'pruning/{net}/pruned/seed{seed}')
        arms = ('unpruned', 'prune-c', 'scratch-e', 'scratch-b', 'random')
        expected |= {f'detection/{det}/{arm}/seed{seed}' for arm in arms}
    mask = 'mask-rcnn_r18-w16_fpn_shapes'
    expected |= {f'detection/{mask}/{arm}/seed0' for arm in ('prune-c', 'scratch-b')}
    assert set(keys(study)) == expected
    assert len(keys(study)) == len(expected)
    assert study.name == 'demo'


def test_prune_d_brings_the_detector_it_prunes(load):
    pruners = dict(a=PRUNER, b=dict(type='RandomPruner', ratios=0.5))
    classification = dict(pruner=None, pruners=pruners, arms=['unpruned'])
    study = load(seeds=[3], classification=classification, detection=[dict(arms=['prune-d'])])
    runs = {run.key: run for run in study.runs()}
    trained = 'detection/det/unpruned/seed3'  # one for both
    assert list(runs).count(trained) == 1
    for variant in 'ab':
        cut = runs[f'detector-pruning/det/{variant}/pruned/seed3']
        assert cut.parents == (trained, 'classification/net/unpruned/seed3')
        assert cut.settings == {'pruner': pruners[variant]}
        assert runs[f'detection/det/{variant}/prune-d/seed3'].parents == (cut.key,)


@pytest.mark.parametrize(
    'parts, remedy',
    [(dict(rounds=2), 'rounds=1'), (dict(pruner=None, architecture='resnet34-a'), 'a pruner')],
)
def test_prune_d_needs_one_pruning(load, parts, remedy):
    with pytest.raises(UserError, match=f'arm prune-d prunes .* once: it needs .* with {remedy}'):
        load(classification=dict(arms=['unpruned']) | parts, detection=[dict(arms=['prune-d'])])


@pytest.mark.parametrize('name', ['demo', 'shapes', 'cifar10_resnet56_l1norm'])
def test_parents_come_before_their_children(name):
    seen = set()
    for run in Study.load(STUDIES / f'{name}.py').runs():
        assert set(run.parents) <= seen
        assert all(parent.endswith(f'seed{run.seed}') for parent in run.parents)
        seen.add(run.key)


@pytest.mark.parametrize(
    'arm, parent',
    [
        ('unpruned', 'classification/net/unpruned'),
        ('prune-c', 'classification/net/fine-tune'),
        ('scratch-e', 'classification/net/scratch-e'),
        ('scratch-b', 'classification/net/scratch-b'),
        ('random', 'pruning/net/pruned'),
    ],
)
def test_transfer_arm_takes_its_backbone_from(load, arm, parent):
    (run,) = [r for r in load(detection=[dict(arms=[arm])], seeds=[4]).runs() if r.arm == arm][-1:]
    assert run.stage == 'detection'
    assert run.parents == (f'{parent}/seed4',)


def test_unpruned_runs_even_if_it_is_not_named(load):
    study = load(classification=dict(arms=['scratch-e']), seeds=[0])
    assert [run.arm for run in study.runs()] == ['unpruned', 'pruned', 'scratch-e']


def test_same_run_asked_for_twice_is_one(load):
    once = load(detection=[dict(arms=['random'])])
    twice = load(
        detection=[dict(arms=['random', 'random']), dict(arms=['random'])], seeds=[0, 1, 1]
    )
    assert keys(twice) == keys(once)


def test_detector_may_take_fewer_seeds(load):
    study = load(detection=[dict(arms=['random'], seeds=[1])])
    assert [run.seed for run in study.runs() if run.stage == 'detection'] == [1]


def test_parent_checkpoint_is_of_the_unpruned_run_alone(load):
    study = load(classification=dict(parent='weights.pth'), seeds=[0])
    given = {run.arm for run in study.runs() if run.settings.get('parent')}
    assert given == {'unpruned'}


def test_options_override_the_file(load):
    options = {'study.seeds': [7], 'study.classification.epochs': 3, 'study.detection.0.epochs': 2}
    study = load(options, detection=[dict(arms=['random'], epochs=5)])
    assert {run.seed for run in study.runs()} == {7}
    epochs = {(run.stage, run.arm): run.epochs for run in study.runs()}
    assert epochs['classification', 'scratch-e'] == 3
    assert epochs['detection', 'random'] == 2


def test_option_of_one_run_keeps_the_others(load):
    given = {'train_cfg.max_epochs': 4, 'train_dataloader.batch_size': 8}
    key = 'study.classification.options.train_dataloader.num_workers'
    study = load({key: 2}, classification=dict(options=given))
    assert study.classification.options['train_cfg.max_epochs'] == 4
    assert study.classification.options['train_dataloader.batch_size'] == 8


def test_config_of_another_package_is_left_to_it(load):
    name = 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'
    study = load(detection=[dict(config=name, arms=['random'])])
    assert study.detection[0].config == name
    with pytest.raises(UserError, match='mmdet::retinanet/x.py cannot be read'):
        load(detection=[dict(config='mmdet::retinanet/x.py', arms=['random'])])


def test_options_that_the_config_has_not_are_refused_before_anything_runs(load):
    with pytest.raises(UserError, match="no key 'train_cfg.max_epoch'"):
        load(classification=dict(options={'train_cfg.max_epoch': 3}))


@pytest.mark.parametrize(
    'parts, words',
    [
        (dict(sedes=[0]), "unknown key 'sedes'; valid are name, seeds"),
        (dict(classification=dict(arm=['unpruned'])), "unknown key 'arm'; valid are config"),
        (dict(detection=[dict(epoch=3)]), "unknown key 'epoch'; valid are config"),
        (dict(classification=dict(arm_settings=dict(epochs=1))), "'epochs'; valid are fine_tune_e"),
        (dict(classification=dict(arms=['prune-c'])), "'prune-c'; known are unpruned, fine-tune"),
        (dict(detection=[dict(arms=['fine-tune'])]), "'fine-tune'; known are unpruned, prune-c"),
        (dict(classification=dict(pruner=dict(type='L9'))), "'L9'; known are .*L1NormPruner, "),
        (dict(classification=dict(pruner={})), 'known are .*L1NormPruner, '),
        (dict(classification=dict(pruner=dict(type='L1NormPruner', ratio=1))), "'ratio'"),
        (dict(classification=dict(pruner=dict(type='L1NormPruner', ratios=1.0))), r'\[0, 1\)'),
        (dict(classification=dict(config='gone.py')), 'gone.py does not exist'),
        (dict(detection=[dict(config='gone.py')]), 'gone.py does not exist'),
        (dict(detection=[dict(arms=['random'], seeds=[0, 5])]), r'seeds \[5\] are not study.seeds'),
        (dict(classification=dict(reference=93.1)), 'reference must be a dict, got 93.1'),
        (
            dict(classification=dict(reference={'fine-tune': dict(mean=93.1)})),
            "reference.fine-tune: unknown key 'mean'; valid are value, source",
        ),
        (dict(detection=[dict(reference=dict(random=0.4))]), 'reference.random: 0.4 is not an obj'),
        (dict(seeds=[]), 'study.seeds must be a list of whole numbers'),
        (dict(seeds=['a']), 'study.seeds must be a list of whole numbers'),
        (dict(seeds=3), 'study.seeds must be a list'),
        (
            dict(classification=dict(arms=['fine-tune']), detection=[dict(arms=['scratch-b'])]),
            'scratch-b needs the classification arm scratch-b, which the study leaves out',
        ),
    ],
)
def test_wrong_study_is_refused(load, parts, words):
    with pytest.raises(UserError, match=words):
        load(**parts)


@pytest.mark.parametrize(
    'text, words',
    [
        ('', 'is no study'),
        ('study = 3', 'is no study'),
        ('study = dict(seeds=[0])', 'ClassificationPlan must be a dict, got None'),
        ("study = dict(seeds=[0], classification=dict(config='net.py'))", 'pruner'),
        ('study = dict(', 'mine.py cannot be read'),
    ],
)
def test_file_that_is_no_study_is_refused(load, text, words):
    with pytest.raises(UserError, match=words):
        load(text=text)


@pytest.mark.parametrize('key', ['seeds', 'studi.seeds', 'study.seedz', 'study.classification.arm'])
def test_unknown_option_is_refused(load, key):
    with pytest.raises(UserError, match=key.split('.')[-1]):
        load({key: [0]})


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match='nothing.py does not exist'):
        Study.load(tmp_path / 'nothing.py')
