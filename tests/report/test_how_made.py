"""What a checklist asks for is in the report, or said to be missing."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rethink_det.report.environment import Environment
from rethink_det.report.how_made import by_value, how_made_table, spelled
from rethink_det.report.run_files import RunFiles
from rethink_det.report.run_result import Plan, RunResult
from rethink_det.report.training_facts import TrainingFacts

PRUNER = {'type': 'L1NormPruner', 'ratios': 0.5}
NOWHERE = Path('nowhere')


def run(arm='fine-tune', seed=0, **fields):
    known = dict(
        pruner=None if arm == 'unpruned' else PRUNER, epochs=40, test_images=10_000,
        plan=Plan('configs/net.py', {'train_cfg.max_epochs': 3}), folder=f'runs/{arm}{seed}',
        environment=Environment('2026-01-02T03:04:05+00:00', 'study demo', 'abc'),
        identity='0123456789abcdef',
    )  # fmt: skip
    return RunResult('classification', arm, seed, {'accuracy/top1': 93.0}, **known | fields)


def told(runs, folder=NOWHERE):
    return {name: text for name, text in how_made_table(runs, RunFiles(folder)).rows}


@pytest.fixture
def recipe(tmp_path):
    """Leaves the recipe of a run in its folder; returns that of the study."""

    def leave(one, **config):
        (tmp_path / one.folder).mkdir(parents=True)
        path = tmp_path / one.folder / 'recipe.json'
        path.write_text(json.dumps({'version': 1, 'recipe': {'config': config}}))
        return tmp_path

    return leave


def test_what_the_rows_tell_is_shown():
    facts = told([run()])
    assert facts['pruner'] == 'L1NormPruner(ratios=0.5)'
    assert (facts['epochs'], facts['test images']) == ('40', '10,000')
    assert facts['config'] == 'configs/net.py, train_cfg.max_epochs=3'
    assert (facts['command'], facts['commit']) == ('study demo', 'abc')
    assert facts['started'] == '2026-01-02 03:04 UTC'
    assert facts['digest of all that a run follows from'] == 'fine-tune: 01234567 (seed 0)'


def test_what_the_recipes_tell_is_shown(recipe):
    one = run()
    folder = recipe(
        one,
        optim_wrapper={'type': 'OptimWrapper', 'optimizer': {'type': 'SGD', 'lr': 0.1}},
        param_scheduler=[{'type': 'MultiStepLR', 'milestones': [80, 120], 'gamma': 0.1}],
        train_dataloader={
            'batch_size': 64,
            'dataset': {
                'type': 'RepeatDataset', 'times': 3, 'pipeline': [{'type': 'X'}],
                'dataset': {'type': 'CIFAR10', 'data_root': str(Path.home() / 'data')},
            },
        },
        test_dataloader={},
    )  # fmt: skip
    facts = told([one], folder)
    assert facts['optimizer'] == 'OptimWrapper(optimizer=SGD(lr=0.1))'
    assert facts['learning-rate schedule'] == 'MultiStepLR(milestones=[80, 120], gamma=0.1)'
    assert facts['batch size, of one process'] == '64'
    wrapped = 'RepeatDataset(times=3, dataset=CIFAR10(data_root=~/data))'
    assert (facts['training data'], facts['test data']) == (wrapped, 'none')


def test_without_a_recipe_the_row_tells_how_it_was_trained():
    facts = TrainingFacts(
        'CIFAR10', 'ab', 50_000, 'cd', 160, 64, 0.1, 'constant', 'SGD(momentum=0.9)', 2
    )
    shown = told([run(training=facts)])
    assert shown['optimizer'] == 'SGD(momentum=0.9), lr 0.1'
    assert (shown['learning-rate schedule'], shown['training data']) == ('constant', 'CIFAR10')
    assert (shown['training images'], shown['times pruned']) == ('50,000', '2')
    assert shown['test data'] == 'not recorded'
    assert shown['precision of training'] == 'not recorded'
    mixed = replace(facts, precision='bfloat16')
    assert told([run(training=mixed)])['precision of training'] == 'bfloat16'
    assert shown['steps computed'] == 'alone'
    side_by_side = replace(facts, computed='together')
    assert told([run(training=side_by_side)])['steps computed'] == 'together'


def test_no_scheduler_is_a_constant_rate(recipe):
    one = run()
    assert told([one], recipe(one, param_scheduler=[]))['learning-rate schedule'] == 'constant'


def test_what_a_run_of_before_did_not_keep_is_said():
    bare = run(pruner=None, epochs=None, test_images=None, plan=None, environment=None)
    table = how_made_table([replace(bare, identity=None)], RunFiles(NOWHERE))
    facts = dict(table.rows)
    assert {facts[name] for name in ('pruner', 'epochs', 'optimizer', 'config')} == {'not recorded'}
    assert facts['environment'] == 'not recorded'
    assert table.note.startswith('Not recorded')
    assert told([run('unpruned')])['pruner'] == 'none'


def test_where_arms_differ_each_is_named_and_where_seeds_do_these_too():
    runs = [run(), run(seed=1), run('scratch-b', epochs=80), run('scratch-b', 1, epochs=82)]
    assert told(runs)['epochs'] == ('fine-tune: 40;\nscratch-b seed 0: 80;\nscratch-b seed 1: 82')


def test_texts_and_runs_belong_together():
    with pytest.raises(ValueError, match='zip'):
        by_value([run()], ['a', 'b'])


def test_a_folder_of_another_machine_is_left_out():
    assert told([run(plan=Plan('/somewhere/else/net.py'))])['config'] == 'net.py'


@pytest.mark.parametrize(
    'value, text',
    [
        ({'type': 'A', 'b': [1, {'type': 'C'}]}, 'A(b=[1, C()])'),
        ({'architecture': 'resnet34-a'}, 'architecture=resnet34-a'),
        (None, 'None'),
    ],
)
def test_configs_are_spelled_as_one_writes_them(value, text):
    assert spelled(value) == text


@pytest.mark.parametrize(
    'content',
    [
        *('{', '[]', b'\xff'),
        '{"recipe": {"config": 3}}',
        '{"recipe": {"config": {"optim_wrapper": [1]}}}',
    ],
)
def test_a_damaged_recipe_is_left_out_and_said(tmp_path, content):
    (tmp_path / 'runs/fine-tune0').mkdir(parents=True)
    path = tmp_path / 'runs/fine-tune0/recipe.json'
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    files = RunFiles(tmp_path)
    assert dict(how_made_table([run()], files).rows)['optimizer'] == 'not recorded'
    assert [*files.unread] == ['runs/fine-tune0/recipe.json']
