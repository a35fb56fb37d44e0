"""``study`` and ``report``: what they refuse, and the plan they print."""

import argparse
import json
from concurrent.futures import Executor

import pytest

from rethink_det.cli import study as study_command
from rethink_det.cli.arguments.study import add_arguments
from rethink_det.study.executors import Here
from rethink_det.study.gpus import OnGpus

STUDY = """
study = dict(
    seeds=[0, 1],
    classification=dict(
        config='classifier.py', pruner=dict(type='L1NormPruner', ratios=0.5), epochs=1
    ),
)
"""


@pytest.fixture
def study(classifier, tmp_path):
    """A study config over the tiny classifier."""
    classifier()
    (tmp_path / 'study.py').write_text(STUDY)
    return tmp_path / 'study.py'


def runs_in(plan):
    """The lines of a dry run that are of one run each."""
    return [line for line in plan.splitlines() if line.startswith('  ')]


def test_dry_run_prints_the_plan_and_writes_nothing(command, study, tmp_path):
    before = sorted(tmp_path.rglob('*'))
    done = command('study', study, '--work-dir', tmp_path / 'work', '--dry-run')
    assert done.status == 0
    assert 'study: 10 runs' in done.out
    assert 'classification/classifier/scratch-b/seed1  after pruning/classifier' in done.out
    assert 'Primary: Scratch-B against fine-tuning' in done.out
    assert 'Warning: fewer than 3 repetitions, 2, of classification/classifier' in done.out
    assert sorted(tmp_path.rglob('*')) == before


def test_shipped_study_is_found_by_its_name(command):
    done = command('study', 'demo', '--dry-run')
    assert done.status == 0
    assert 'detection/faster-rcnn_r18-w16_fpn_shapes/random/seed0  after pruning/' in done.out


def test_option_changes_the_plan(command, study):
    done = command('study', study, '--dry-run', '--cfg-options', 'study.seeds=[5]')
    assert 'seed5' in done.out
    assert 'seed0' not in done.out


def test_seeds_of_the_command_line_replace_the_studys(command, study):
    done = command('study', study, '--dry-run', '--seeds', 5, 7)
    seeds = {line.split()[0].rpartition('/')[2] for line in runs_in(done.out)}
    assert seeds == {'seed5', 'seed7'}


def test_variants_of_the_command_line_restrict_the_study(command, refusal):
    whole = runs_in(command('study', 'cifar10_small', '--dry-run').out)
    done = command('study', 'cifar10_small', '--dry-run', '--variants', 'l1norm-60')
    assert runs_in(done.out) == [line for line in whole if '/l1norm-30/' not in line]
    assert command('study', 'cifar10_small_l1norm-60', '--dry-run').out == done.out
    message = refusal('study', 'cifar10_small', '--dry-run', '--variants', 'l1norm-99')
    assert "no variant 'l1norm-99'; its variants are l1norm-30, l1norm-60" in message


def test_seeds_that_are_no_numbers_are_refused(command, study):
    done = command('study', study, '--dry-run', '--seeds', 'all')
    assert done.status == 2
    assert "--seeds: invalid int value: 'all'" in done.err


def test_seeds_without_those_of_a_detector_are_refused(refusal):
    assert 'seeds [0] are not study.seeds' in refusal('study', 'demo', '--dry-run', '--seeds', 3)


@pytest.mark.parametrize(
    'options, parts',
    [
        (['study.seedz=[0]'], ["'seedz'", 'seeds']),
        (['seeds=[0]'], ["'seeds'", 'study']),
        (['study.seeds=3'], ['study.seeds', '3']),
        (['study.seeds=[]'], ['study.seeds']),
        (['study.classification.arms=[prune-c]'], ["'prune-c'", 'fine-tune, scratch-e']),
        (['study.classification.arm=[]'], ["'arm'", 'arms']),
        (['study.classification.pruner.type=L9'], ["'L9'", 'L1NormPruner, MagnitudePruner']),
        (['study.classification.pruner.ratios=1.5'], ['[0, 1)', '1.5']),
        (['study.classification.config=gone.py'], ['gone.py does not exist']),
        (['study.classification.arm_settings.epoch=1'], ["'epoch'", 'fine_tune_epochs']),
    ],
)
def test_wrong_study_is_refused(refusal, study, tmp_path, options, parts):
    work = tmp_path / 'work'
    message = refusal('study', study, '--work-dir', work, '--cfg-options', *options)
    assert all(part in message for part in parts), message
    assert not work.exists()


@pytest.mark.parametrize('name, told', [('dmeo', 'mean demo?'), ('qqqqq', 'in paper/')])
def test_unknown_study_is_answered_with_what_there_is(refusal, name, told):
    message = refusal('study', name)
    assert f'{name} does not exist' in message
    assert told in message


def test_config_that_is_no_study_is_refused(refusal, classifier):
    assert 'is no study' in refusal('study', classifier())


@pytest.mark.parametrize('text', ['study = dict(', 'import nonesuch'])
def test_study_that_cannot_be_read_is_refused(refusal, tmp_path, text):
    (tmp_path / 'study.py').write_text(text)
    assert str(tmp_path / 'study.py') in refusal('study', tmp_path / 'study.py')


@pytest.mark.parametrize('option', ['--workers', '--runs-per-gpu'])
@pytest.mark.parametrize('number', [0, -1])
def test_numbers_of_runs_are_at_least_one(refusal, study, tmp_path, option, number):
    work = tmp_path / 'work'
    message = refusal('study', study, '--work-dir', work, option, number)
    assert f'{option} must be at least 1' in message
    assert not work.exists()


@pytest.mark.parametrize(
    'option, number, words',
    [
        ('--stall-minutes', -1, '--stall-minutes'),
        ('--stall-minutes', 'nan', '--stall-minutes'),
        ('--retries', -1, '--retries'),
        ('--share', 'study.py', 'study.py'),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(
    refusal, study, tmp_path, monkeypatch, option, number, words
):
    monkeypatch.chdir(tmp_path)
    for more in ((), ('--dry-run',)):
        assert words in refusal('study', study, '--work-dir', 'work', option, number, *more)
    assert not (tmp_path / 'work').exists()


@pytest.mark.cpu  # there is a GPU
def test_runs_per_gpu_without_a_gpu_is_refused(refusal, study, tmp_path):
    work = tmp_path / 'work'
    message = refusal('study', study, '--work-dir', work, '--runs-per-gpu', 2)
    assert '--runs-per-gpu 2 needs a GPU' in message and '--workers N' in message
    assert not work.exists()


@pytest.mark.parametrize(
    'words, kind, workers',
    [
        ('', Here, 1),
        ('--workers 3', Executor, 3),
        ('--runs-per-gpu 3', OnGpus, 6),
        ('--runs-per-gpu 3 --workers 4', OnGpus, 4),
        ('--runs-per-gpu 3 --workers 9', OnGpus, 6),
    ],
)
def test_as_many_workers_as_fit_on_the_gpus(monkeypatch, tmp_path, words, kind, workers):
    monkeypatch.setattr(study_command, 'visible_gpus', lambda: ['0', '1'])
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    options = parser.parse_args(['demo', *words.split()])
    executor, number = study_command._executor(options, tmp_path)
    assert isinstance(executor, kind)
    assert number == workers


@pytest.mark.parametrize(
    'words, told',
    [
        ('--slurm partition=gpu timeout_min=5', 'no Slurm on this machine (sbatch is not found)'),
        ('--slurm cluster=loca', 'cluster=loca: must be one of slurm, local'),
        ('--slurm cluster=local gpu_per_node=1', 'did you mean gpus_per_node?'),
        ('--slurm cluster=local qqqqq=1', 'valid are cluster, account, '),
        ('--slurm cluster=local mem_gb=lots', 'mem_gb'),
        ('--slurm cluster=local --ray local', '--slurm and --ray'),
        ('--slurm cluster=local --runs-per-gpu 2', '--slurm and --runs-per-gpu'),
        ('--slurm gpu', 'is not KEY=VALUE'),
    ],
)
def test_wrong_options_of_a_cluster_are_refused(refusal, study, tmp_path, words, told):
    pytest.importorskip('submitit')
    work = tmp_path / 'work'
    assert told in refusal('study', study, '--work-dir', work, *words.split())
    assert not list(work.rglob('*.*'))


def test_report_is_written_again(command, tmp_path):
    run = dict(stage='classification', arm='unpruned', seed=0, status='completed')
    run |= dict(metrics={'accuracy/top1': 90.0}, model='tiny')
    (tmp_path / 'results.json').write_text(json.dumps(dict(study='mine', runs=[run])))
    done = command('report', tmp_path)
    assert done.status == 0
    for name in ('report.md', 'report.html', 'report.csv'):
        assert (tmp_path / name).is_file()
        assert str(tmp_path / name) in done.out
    assert '90.0' in (tmp_path / 'report.md').read_text()


@pytest.mark.parametrize(
    'content', [None, '{', '[]', '{"study": "x"}', '{"study": "x", "runs": [3]}']
)
def test_report_without_results_is_refused(refusal, tmp_path, content):
    if content is not None:
        (tmp_path / 'results.json').write_text(content)
    assert str(tmp_path / 'results.json') in refusal('report', tmp_path)
    assert not (tmp_path / 'report.md').exists()
