"""A run's result survives a round trip, finds its files, and refuses what it cannot use."""

import json
import math
import pickle
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det.errors import UserError
from rethink_det.report.environment import Environment
from rethink_det.report.run_result import (
    FeatureMapWidths,
    Plan,
    Reference,
    RunResult,
    Transferred,
)
from rethink_det.report.schema import read
from rethink_det.report.spent import Spent
from rethink_det.report.training_facts import TrainingFacts

ENTRY = {'stage': 'classification', 'arm': 'fine-tune', 'seed': 0, 'status': 'completed'}
ENTRY |= {'metrics': {'accuracy/top1': 93.1}}
SPENT = Spent(1.0, 2.0, None, {'GPU': 3.0}, ('the given parent',))
FULL = RunResult(
    'detection', 'prune-c', 1, {'coco/bbox_mAP': 0.4}, 'net', key='detection/net/prune-c/seed1',
    params=3, macs=4, macs_conv=3, macs_linear=1, macs_of='backbone', input_shape=(3, 8, 8),
    epochs=2, train_macs=5, total_train_macs=6, shape_train_macs=0, checkpoint='epoch_2.pth',
    digest='ab', architecture='architecture.json', transferred=Transferred(7, 'cd'),
    input_origin='an image', latency_ms=1.5, latency_device='a CPU', peak_memory_mib=2.5,
    stages=(FeatureMapWidths(4, 1, 2, 3, 4),), unmeasured='why', not_as_asked='too little',
    reference=Reference(37.0, 'x'), wall_s=8.0, error='none', folder='runs/a', identity='ef',
    parent='seed0', parent_digest='01', parent_given=False, test_images=2, test_digest='23',
    replicates={'coco/bbox_mAP': (0.3, 0.5)}, backbone_params=2, backbone_macs=3, regions=1000,
    earlier_epochs=(8, None), spent=SPENT, total_spent=SPENT, shape_spent=SPENT,
    pruned_metrics={'coco/bbox_mAP': 0.1},
    plan=Plan('net.py', {'a.b': 1}, {'pruner': {'type': 'P'}}), pruner={'type': 'P'},
    training=TrainingFacts('Data', 'd', 5, 'a', 2, 8, 0.1, 'constant', 'SGD', 1, {'0.1': 9.5}),
    checksums={'epoch_2.pth': 'ab'},
    environment=Environment('2026-01-02', 'study demo', 'abc', 'CPU', '3.11', {'torch': '2.9'}),
)  # fmt: skip


def through_json(run):
    return read(RunResult, json.loads(json.dumps(run.to_dict())), 'run')


@given(
    seed=st.integers(0, 10**6),
    metrics=st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False)),
    model=st.text(),
    params=st.none() | st.integers(0),
)
def test_a_run_survives_the_round_trip(seed, metrics, model, params):
    run = RunResult('detection', 'random', seed, metrics, model, params=params)
    assert through_json(run) == run


def test_every_field_survives_it():
    unset = [f.name for f in fields(FULL) if getattr(FULL, f.name) is None]
    assert unset == ['root']
    assert through_json(FULL) == FULL


def test_numpy_scalars_and_diverged_metrics_become_plain_json():
    metrics = {'accuracy/top1': np.float32(50.5), 'loss': math.nan}
    entry = RunResult('classification', 'fine-tune', 0, metrics).to_dict()
    assert entry['metrics'] == {'accuracy/top1': 50.5, 'loss': None}
    json.dumps(entry, allow_nan=False)


def test_a_run_is_told_apart_by_its_seed_and_where_the_design_names_it_its_parent():
    run = RunResult('classification', 'fine-tune', 1)
    assert (run.repetition, replace(run, parent='a').repetition) == (1, 'a/1')


def test_what_is_not_known_is_left_out():
    assert set(RunResult('classification', 'fine-tune', 0).to_dict()) == {
        'stage', 'arm', 'seed', 'metrics', 'model', 'status',
    }  # fmt: skip


def test_it_is_written_into_its_folder_and_knows_its_files_when_the_study_has_moved(tmp_path):
    (tmp_path / 'here' / 'runs' / 'a').mkdir(parents=True)
    replace(FULL, root=tmp_path / 'here').write()
    content = json.loads((tmp_path / 'here' / 'runs' / 'a' / 'result.json').read_text())
    assert (content['format'], content['version']) == ('rethink_det.run_result', 3)
    assert str(tmp_path) not in json.dumps(content)
    (tmp_path / 'here').rename(tmp_path / 'there')
    run = RunResult.read(tmp_path / 'there' / 'runs' / 'a', tmp_path / 'there')
    assert run == FULL
    assert run.checkpoint_path == tmp_path / 'there' / 'runs' / 'a' / 'epoch_2.pth'
    assert run.architecture_path.name == 'architecture.json'
    assert run.gone
    run.checkpoint_path.touch()
    run.architecture_path.touch()
    assert not run.gone
    assert pickle.loads(pickle.dumps(run)).checkpoint_path == run.checkpoint_path


def test_a_run_that_left_no_weights_says_so():
    run = replace(FULL, checkpoint=None)
    with pytest.raises(ValueError, match='detection/net/prune-c/seed1 has no checkpoint'):
        _ = run.checkpoint_path


def test_a_run_that_is_not_finished_has_no_result(tmp_path):
    with pytest.raises(FileNotFoundError):
        RunResult.read(tmp_path, tmp_path)


def test_a_damaged_result_is_refused_with_the_remedy(tmp_path):
    (tmp_path / 'result.json').write_text('{"stage": ')
    with pytest.raises(UserError, match=r'result\.json: not valid JSON.*; delete the folder'):
        RunResult.read(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ('key', 'value'),
    [
        ('stage', 'tracking'),
        ('arm', None),
        ('status', None),
        ('status', 'started'),
        ('model', 3),
        ('seed', '0'),
        ('seed', True),
        ('metrics', [1.0]),
        ('metrics.accuracy/top1', 'high'),
        ('macs', 'many'),
    ],
)
def test_a_wrong_kind_of_value_is_refused_by_key(key, value):
    entry = ENTRY | ({'metrics': {'accuracy/top1': value}} if '.' in key else {key: value})
    with pytest.raises(UserError, match=f"runs\\[3\\]: '{key}'"):
        read(RunResult, entry, 'runs[3]')


@pytest.mark.parametrize(
    ('reference', 'message'),
    [
        (93.0, "'reference' is 93.0, must be a dict"),
        ({'source': 'Table 2'}, "'reference.value' is missing"),
        ({'value': 1.0, 'std': 0.1}, "reference: unknown key 'std'; valid are value, source"),
    ],
)
def test_a_published_number_that_is_none_is_refused(reference, message):
    with pytest.raises(UserError, match=message):
        read(RunResult, ENTRY | {'reference': reference}, 'run')


@pytest.mark.parametrize('key', ['extra', 'root', 'accuracy', 'format'])
def test_an_unknown_key_is_refused_by_name(key):
    with pytest.raises(UserError, match=f"unknown key '{key}'; valid are stage, arm"):
        read(RunResult, ENTRY | {key: 1}, 'run')


@pytest.mark.parametrize('key', ['stage', 'arm', 'seed', 'status'])
def test_a_missing_key_is_refused(key):
    with pytest.raises(UserError, match=f"'{key}' is missing"):
        read(RunResult, {name: value for name, value in ENTRY.items() if name != key}, 'run')
