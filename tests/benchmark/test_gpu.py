"""``rethink-det benchmark gpu``: one table; where there is no card, a word of it."""

import pytest

from rethink_det.benchmark import gpu
from rethink_det.benchmark.gpu_parts import Row

LINE = ('benchmark', 'gpu')


@pytest.mark.cpu
@pytest.mark.slow
def test_all_parts_run_on_a_cpu_too(command, small):
    sizes = ('--network', small, '--images', 16, '--batch', 8, '--rounds', 1)
    done = command(*LINE, '--device', 'cpu', *sizes)
    assert done.status == 0, done
    assert 'failed' not in done.out and 'no card: the CPU' in done.out
    for what in (
        'plain script', 'float32, eager', 'float32, graph', 'runs together', 'runs packed',
        'Faster R-CNN', 'ThiNet', 'Taylor', 'evaluation of a classifier',
    ):  # fmt: skip
        assert what in done.out.replace('\n', ' '), what


@pytest.fixture
def parts(monkeypatch):
    """Parts of no time, one of which may fail."""
    calls = {}

    def part(name):
        def run(*args):
            calls[name] = args
            if calls.get('fails') == name:
                raise RuntimeError('no memory left')
            return [Row(name, '1 images/s')]

        return run

    for name in ('one_run', 'together', 'packed', 'detector_step', 'pruning', 'evaluation'):
        monkeypatch.setattr(gpu, name, part(name))
    return calls


@pytest.fixture
def sizes(small):
    return gpu.Sizes.tiny(str(small), 16, 8, 1)


def test_a_part_that_fails_is_a_line_and_the_others_go_on(parts, sizes, capsys):
    assert gpu.table(sizes) == 0
    parts['fails'] = 'one_run'
    capsys.readouterr()
    assert gpu.table(sizes) == 1
    out = capsys.readouterr().out
    assert out.count('failed: RuntimeError: no memory left') == 2  # as it comes, and in the table
    assert all(name in out for name in ('packed', 'detector_step', 'evaluation'))


def test_a_part_that_takes_long_is_told(parts, sizes, capsys, monkeypatch):
    monkeypatch.setattr(gpu, 'LONGEST', -1)
    gpu.table(sizes)
    assert 's, more than -1)' in capsys.readouterr().out


# -- refusals ---------------------------------------------------------------------------------


@pytest.mark.cpu
def test_without_a_card_one_line_says_so(refusal):
    assert 'There is no CUDA device here' in refusal(*LINE)
    assert 'There is no CUDA device here' in refusal(*LINE, '--device', 'cuda')
    assert 'benchmark gpu knows cpu and cuda' in refusal(*LINE, '--device', 'tpu')


@pytest.mark.cpu
@pytest.mark.parametrize(
    'arguments, message',
    [
        (('--rounds', 0), 'at least 1 round'),
        (('--images', 7), 'a batch of 8, 7 images'),
        (('--network', 'resnet57'), "No architecture 'resnet57'"),
        (('--network', 'resnet56', 'resnet110'), 'trains one network'),
    ],
)
def test_what_cannot_be_measured_is_refused(refusal, small, arguments, message):
    line = (*LINE, '--device', 'cpu', '--network', small, '--images', 8, '--batch', 8)
    assert message in refusal(*line, *arguments)


def test_a_device_is_for_this_benchmark_alone(refusal):
    assert '--device is for benchmark gpu' in refusal('benchmark', 'import', '--device', 'cpu')


@pytest.mark.gpu
def test_a_card_is_not_measured_as_a_cpu(refusal):
    assert 'there is a GPU here' in refusal(*LINE, '--device', 'cpu')
