"""``rethink-det benchmark train``: beside a plain script, and beside a bare loop."""

import re

import pytest
import torch

from rethink_det.benchmark.train import overhead


@pytest.mark.slow
def test_training_is_timed_beside_a_plain_script_and_a_bare_loop(command, small):
    done = command(
        'benchmark', 'train', '--network', small, '--images', 16, '--batch', 8, '--rounds', 1
    )
    assert done.status == 0, done
    rate = r'ours / peer in images/s: [\d.]+ of medians, median [\d.]+ of 1 pairs'
    assert len(re.findall(rate, done.out)) == 3, done.out  # input, float32, bfloat16
    assert re.search(r'ours / peer with a worker in images/s: ', done.out)
    for loop in ('FastEpochLoop', 'EpochBasedTrainLoop'):
        assert re.search(loop + r': median [\d.]+ ms, bare .* overhead [+-][\d.]+ %', done.out)
    if not torch.cuda.is_available():
        assert '8 runs on one GPU: left out, there is no GPU here' in done.out


def test_overhead_is_told_for_both_loops(workload, capsys):
    overhead(workload, 1)
    assert len(re.findall(r'Loop: median [\d.]+ ms, bare loop', capsys.readouterr().out)) == 2


@pytest.mark.parametrize(
    'arguments, message',
    [
        (('--rounds', 0), 'at least 1 round'),
        (('--network', 'resnet57'), "No architecture 'resnet57'"),
        (('--images', 7), 'a batch of 8, 7 images'),
        (('--batch', 0), 'a batch of 0'),
    ],
)
def test_a_training_that_cannot_be_is_refused(refusal, small, arguments, message):
    line = ('benchmark', 'train', '--network', small, '--images', 8, '--batch', 8)
    assert message in refusal(*line, *arguments)
