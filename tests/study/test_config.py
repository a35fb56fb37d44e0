"""A study config expands to its runs, or is refused with the key and what is valid."""

from pathlib import Path

import pytest

from rethink_det.errors import UserError
from rethink_det.study.config import Study
from rethink_det.study.graph import runs_of

STUDIES = Path(__file__).resolve().parents[2] / 'configs' / 'studies'
PRUNER = dict(type='L1NormPruner', ratios=0.5)
NET = 'train_cfg = dict(max_epochs=1)\ntrain_dataloader = dict(batch_size=2, num_workers=0)\n'


def test_options_override_the_file(load):
    options = {'study.seeds': [7], 'study.classification.epochs': 3, 'study.detection.0.epochs': 2}
    study = load(options, detection=[dict(arms=['random'], epochs=5)])
    assert {run.seed for run in runs_of(study)} == {7}
    epochs = {(run.stage, run.arm): run.epochs for run in runs_of(study)}
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
    with pytest.raises(UserError, match='mmdet::retinanet/x.py does not exist'):
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
        (dict(classification=dict(arm_settings=dict(epoch=1))), "'epoch'; valid are fine_tune_e"),
        (dict(classification=dict(arms=['prune-c'])), "'prune-c'; known are unpruned, fine-tune"),
        (dict(detection=[dict(arms=['fine-tune'])]), "'fine-tune'; known are unpruned, prune-c"),
        (dict(classification=dict(pruner=dict(type='L9'))), "'L9'; known are .*L1NormPruner, "),
        (dict(classification=dict(pruner={})), 'known are .*L1NormPruner, '),
        (dict(classification=dict(pruner=dict(type='L1NormPruner', ratio=1))), "'ratio'"),
        (dict(classification=dict(pruner=dict(type='L1NormPruner', ratios=1.0))), r'\[0, 1\)'),
        (dict(classification=dict(ema=True)), 'classification.ema is of given networks: set par'),
        (dict(classification=dict(config='gone.py')), 'gone.py does not exist'),
        (dict(detection=[dict(config='gone.py')]), 'gone.py does not exist'),
        (dict(detection=[dict(arms=['random'], seeds=[0, 5])]), r'seeds \[5\] are not study.seeds'),
        (
            dict(classification=dict(reference=93.1)),
            "reference' is 93.1, must be a dict",
        ),
        (
            dict(classification=dict(reference={'fine-tune': dict(mean=93.1)})),
            "reference.fine-tune: unknown key 'mean'; valid are value, source",
        ),
        (
            dict(detection=[dict(reference=dict(random=0.4))]),
            r"\[0\].reference.random' is 0.4",
        ),
        (dict(classification=dict(arms='scratch-e')), "arms' is 'scratch-e', must be a list"),
        (
            dict(classification=dict(arms=[dict(epochs=3)])),
            r"arms\[0\].arm' is missing",
        ),
        (dict(classification=dict(arms=[3])), r"arms\[0\]' is 3, must be a text or a dict"),
        (dict(classification=dict(arms=['scratch-e'] * 2)), 'arms: scratch-e stands there twice'),
        (
            dict(classification=dict(arms=[dict(arm='scratch-e', epoch=3)])),
            "unknown key 'epoch'; valid are arm, epochs, schedule, seeds",
        ),
        (
            dict(classification=dict(arms=[dict(arm='scratch-e', epochs=3, schedule=2)])),
            'Either epochs=3 or schedule=2',
        ),
        (
            dict(classification=dict(arms=[dict(arm='scratch-e@2', epochs=3)])),
            'scratch-e@2 names a budget already',
        ),
        (
            dict(classification=dict(arms=[dict(arm='scratch-e', seeds=[7])])),
            r'study.classification: seeds \[7\] are not study.seeds',
        ),
        (dict(classification=dict(arm_settings=dict(epochs=3))), 'epochs and schedule are of one'),
        (
            dict(classification=dict(parent='p.pth', arms=['scratch-total'])),
            'scratch-total trains with the compute of the parent.*parent_epochs',
        ),
        (dict(classification=dict(untuned=True)), 'untuned is of a given network: set .*pruned'),
        (
            dict(classification=dict(pruner=None, pruned='p.pth', arms=['lottery'])),
            'arm lottery needs the network that this one was pruned from',
        ),
        (
            dict(classification=dict(pruner=None, pruned='p.pth', parents=[0], arms=['rewind'])),
            'pruned is a network that was pruned elsewhere: parent, parents',
        ),
        (
            dict(
                classification=dict(pruner=None, pruned='p.pth', arms=['fine-tune']),
                detection=[dict(arms=['prune-d'])],
            ),
            'arm prune-d needs the network that this one',
        ),
        (
            dict(classification=dict(pruned='p.pth')),
            'a pruner, an architecture or a pruned network',
        ),
        (dict(detection=[dict(), dict()]), 'two detectors are called det, .*name='),
        (dict(detection=[dict(name='a/b')]), "a detector becomes a folder, and 'a/b' can be none"),
        (dict(detection=[dict(budget='money')]), "budget 'money' is none of epochs, compute"),
        (dict(detection=[dict(arm_plans={})]), "unknown key 'arm_plans'"),
        (dict(seeds=[]), 'study.seeds must be a list of whole numbers'),
        (dict(seeds=['a']), r"'study.seeds\[0\]' is 'a', must be a whole number of at least 0"),
        (dict(seeds=3), "'study.seeds' is 3, must be a list"),
        (dict(seeds=[0, 1, 0]), 'study.seeds: 0 stands there twice'),
        (dict(seeds=[-1]), 'must be a whole number of at least 0 and at most 4,294,967,295'),
        (dict(seeds=[True]), r"seeds\[0\]' is True, must be a whole number"),
        (dict(name='a/b'), "study.name is 'a/b', and becomes a folder"),
        (dict(classification=dict(epochs=1.5)), "classification.epochs' is 1.5, must be a whole"),
        (dict(classification=dict(widths_of='x')), 'widths_of is for one of .*variants to say'),
        (
            dict(detection=[dict(arms=['random']), dict(arms=3)]),
            r"'study.detection\[1\].arms' is 3, must be a list",
        ),
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
        ('study = dict(seeds=[0])', "'study.classification' is missing"),
        ("study = dict(seeds=[0], classification=dict(config='net.py'))", 'pruner'),
        ('study = dict(seeds=[0], classification={}, detection=3)', "study.detection' is 3, must"),
        ('study = dict(seeds=[float("inf")], classification={})', 'is inf, must be a whole number'),
        ('study = dict(seeds=[10**5000], classification={})', 'some int that cannot be shown'),
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


@pytest.mark.parametrize(
    'classification, detection, words',
    [
        ({}, [dict(arms=['random'], untuned=True)], 'there is none among random'),
        (
            dict(pruner=None, architecture='resnet34-a', arms=['scratch-e']),
            [dict(arms=['prune-c'], untuned=True)],
            'prune-c with untuned=True takes what pruning left: .* with a pruner',
        ),
    ],
)
def test_fine_tuning_is_left_out_where_there_is_some(load, classification, detection, words):
    with pytest.raises(UserError, match=words):
        load(classification=classification, detection=detection)


def test_configs_are_found_as_train_finds_them(load, tmp_path, monkeypatch):
    shipped = 'resnet18-w16_shapes', 'faster-rcnn_r18-w16_fpn_shapes'
    named = [
        f'{stage}/{name}'
        for stage, name in zip(('classification', 'detection'), shipped, strict=True)
    ]
    study = load(classification=dict(config=named[0]), detection=[dict(config=f'{named[1]}.py')])
    found = study.classification.config, study.detection[0].config
    assert [Path(one).stem for one in found] == list(shipped)
    assert all(Path(one).is_file() and Path(one).is_absolute() for one in found)
    elsewhere = tmp_path / 'here'
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    for folder in (elsewhere, tmp_path):  # a file beside the study comes before all others
        (folder / 'own.py').write_text('train_cfg = dict(max_epochs=1)')
        assert load(classification=dict(config='own.py')).classification.config == str(
            folder / 'own.py'
        )
    package = 'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'
    assert load(detection=[dict(config=package)]).detection[0].config == package


def test_a_config_of_about_that_name_is_suggested(load):
    with pytest.raises(UserError, match='Did you mean classification/resnet18-w16_shapes'):
        load(classification=dict(config='classification/resnet18-w16_shape.py'))


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match='nothing.py does not exist'):
        Study.load(tmp_path / 'nothing.py')
