"""``rethink-det benchmark prune``: beside Torch-Pruning, and one method by itself."""

import re

import pytest


def test_pruning_is_timed_beside_torch_pruning(command, small):
    done = command('benchmark', 'prune', '--rounds', 1, '--network', small)
    assert done.status == 0, done
    medians = re.findall(r'^  ([\w\- ,]+): median [\d.]+ ms$', done.out, re.MULTILINE)
    peers = ['Torch-Pruning', 'Torch-Pruning in the same layers']
    assert medians == [f'{n}, l1' for n in ('ours', *peers)] + ['ours, l2', 'Torch-Pruning, l2']
    assert re.search(r'ours, l1 / Torch-Pruning, l1: [\d.]+ of medians, .* of 1 pairs', done.out)


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
