"""``rethink-det benchmark``: it runs, and compares what it says it compares."""

import re

import pytest

from rethink_det import UserError
from rethink_det.cli.timing import compare, peak_memory


@pytest.fixture
def small(cifar, tmp_path):
    """The file of a small architecture."""
    path = tmp_path / 'small.json'
    cifar().save(path)
    return path


def test_pruning_is_timed_beside_torch_pruning(command, small):
    done = command('benchmark', 'prune', '--rounds', 1, '--network', small)
    assert done.status == 0, done
    medians = re.findall(r'^  ([\w\- ]+): median [\d.]+ ms$', done.out, re.MULTILINE)
    assert medians == ['ours', 'Torch-Pruning', 'Torch-Pruning in the same layers']
    assert re.search(r'ours / Torch-Pruning: [\d.]+ of medians, .* of 1 pairs', done.out)


@pytest.mark.parametrize(
    'pruner, options', [('L1NormPruner', ['ratios=0.3']), ('ImportancePruner', None)]
)
def test_one_method_is_timed_by_itself(command, small, pruner, options):
    chosen = ['--pruner-options', *options] if options else []
    line = ('benchmark', 'prune', '--network', small, '--pruner', pruner, *chosen, '--images', 5)
    done = command(*line)
    assert done.status == 0, done
    assert f"'ratios': {0.3 if options else 0.5}" in done.out
    assert re.search(r'[\d.]+ s, peak memory \d+ MiB', done.out)


def test_a_backbone_is_timed_beside_a_plain_one(command):
    done = command('benchmark', 'backbone', '--rounds', 1)
    assert done.status == 0 and 'ours / peer: ' in done.out, done


def test_everything_is_called_equally_often_in_both_orders(capsys):
    called = []
    compare({name: lambda name=name: called.append(name) for name in 'ab'}, rounds=2)
    assert called == [*'ab', *'ba', *'ab']
    out = capsys.readouterr().out
    assert re.search(r'a / b: [\d.]+ of medians, median [\d.]+ of 2 pairs', out)


def test_memory_is_told_in_bytes():
    assert 100 * 2**20 < peak_memory() < 2**40, 'what torch alone takes, and no computer has'


@pytest.mark.parametrize(
    'arguments, message',
    [
        (('--rounds', 0), 'at least 1 round'),
        (('--network', 'resnet57'), "No architecture 'resnet57'"),
        (('--pruner', 'NoPruner'), "Unknown pruner 'NoPruner'"),
        (('--pruner', 'L1NormPruner', '--pruner-options', 'ratio=1'), "'ratio'"),
    ],
)
def test_a_benchmark_that_cannot_be_is_refused(refusal, small, arguments, message):
    assert message in refusal('benchmark', 'prune', '--network', small, *arguments)


def test_no_rounds_give_no_median():
    with pytest.raises(UserError, match='at least 1 round'):
        compare({'a': list}, 0)
