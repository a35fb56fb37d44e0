"""Whatever a file says of a network, no command runs or imports it: it is refused in one line."""

import json
import sys
from functools import cache

import pytest
import torch

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.errors import UserError
from rethink_det.registry import MODELS
from rethink_det.report.run_result import Plan, RunResult
from tests.hostile_files import CIFAR, EVIL, LINEAR, hostile_architectures, write_evil_package


@pytest.fixture(scope='module', autouse=True)
def registered_that_are_no_networks():
    """A class and a function that write a file, registered as networks are."""

    class NoNetwork:
        def __init__(self, path):
            open(path, 'w').close()

    def makes_a_file(path):
        open(path, 'w').close()

    for kind in (NoNetwork, makes_a_file):
        MODELS.register_module(module=kind)
    yield
    for kind in (NoNetwork, makes_a_file):
        del MODELS.module_dict[kind.__name__]


@pytest.fixture
def canary(tmp_path, monkeypatch):
    """A file that nobody makes; afterwards nothing was run, and nothing new was imported."""
    canary = tmp_path / 'canary'
    write_evil_package(tmp_path, canary)
    monkeypatch.syspath_prepend(tmp_path)
    yield canary
    assert not canary.exists()
    assert EVIL not in sys.modules


@pytest.fixture
def hostile(canary):
    return hostile_architectures(canary)


def imported_by(call):
    """The modules that a call imports."""
    before = set(sys.modules)
    call()
    return set(sys.modules) - before


def test_every_hostile_description_is_refused_in_a_line(hostile, canary):
    PrunedArchitecture.load('resnet34')  # mmdet is imported, as any file may ask
    pytest.importorskip('timm')
    assert len(hostile) >= 300

    def refuse_all():
        for description in hostile:
            with pytest.raises(UserError) as refused:
                PrunedArchitecture.load(description)
            message = str(refused.value)
            assert '\n' not in message and len(message) < 700, description

    assert {m for m in imported_by(refuse_all) if not m.startswith('timm.')} == set()


@pytest.fixture
def takers(classifier, trained, tmp_path):
    """Command lines that take a file for a network, by name; the file stands at the end."""
    study = tmp_path / 'hostile_study.py'

    def planned(**more):
        plan = dict(config='classifier.py', arms=['scratch-e']) | more
        study.write_text(f'study = dict(title="t", seeds=[0], classification={plan})\n')
        return 'study', study, '--dry-run'

    def with_backbone(file):
        own = classifier('own.py')
        backbone = {
            '_delete_': True,
            'type': 'rethink_det.PrunedBackbone',
            'architecture': f'{file}',
        }
        own.write_text(f'_base_ = "./classifier.py"\nmodel = dict(backbone={backbone})\n')
        return own

    config, out, foreign = classifier(), tmp_path / 'out', tmp_path / 'foreign.pth'
    torch.save(weights(), foreign)
    pruned = ('--pruner', 'L1NormPruner', '--pruner-options')
    train = ('train', config, '--work-dir', out, '--arm', 'scratch-e', '--backbone')
    return {
        'analyze cost': lambda file: ('analyze', 'cost', file),
        'analyze print': lambda file: ('analyze', 'print', file),
        'prune': lambda file: (
            'prune', config, file, '-o', out, '--pruner', 'RandomPruner', '--pruner-options',
            'ratios=0.5',
        ),
        'prune to a target': lambda file: (
            'prune', config, trained, '-o', out, *pruned, f'target={file}',
        ),
        'train': lambda file: (*train, file),
        'convert': lambda file: ('convert', foreign, '-o', out, '--base', file),
        'export': lambda file: ('export', file, '--onnx', '-o', f'{out}.onnx'),
        'study': lambda file: planned(architecture=str(file)),
        'study of a parent': lambda file: planned(
            parent=str(file), pruner=dict(type='L1NormPruner', ratios=0.5)
        ),
        'study of a pruned network': lambda file: planned(pruned=str(file), arms=['fine-tune']),
        'baseline': lambda file: ('baseline', file, '--config', config, '--work-dir', out),
        'check': lambda file: ('check', config, '--arm', 'scratch-e', '--backbone', file),
        'check its config': lambda file: ('check', with_backbone(file)),
        'test its config': lambda file: ('test', with_backbone(file), trained),
        'benchmark': lambda file: ('benchmark', 'prune', '--network', file),
    }  # fmt: skip


TAKERS = (
    'analyze cost', 'analyze print', 'prune', 'prune to a target', 'train', 'convert', 'export',
    'study', 'study of a parent', 'study of a pruned network', 'baseline', 'check',
    'check its config', 'test its config', 'benchmark',
)  # fmt: skip
WITH_WEIGHTS = ('prune', 'export', 'study of a parent', 'study of a pruned network', 'baseline')
"""These take a checkpoint; the others take a JSON file as well."""
CASES = [
    (taker, form)
    for taker in TAKERS
    for form in ('json', 'checkpoint')
    if form == 'checkpoint' or taker not in WITH_WEIGHTS
]


def write_json(description, path):
    path = path.with_suffix('.json')
    path.write_text(json.dumps(description))
    return path


@cache
def weights():
    return PrunedArchitecture(CIFAR, LINEAR, (3, 8, 8)).build_network().state_dict()


def write_checkpoint(description, path):
    meta = {'architecture': description}
    content = Checkpoint.from_dict({'state_dict': weights(), 'meta': meta})
    path = path.with_suffix('.pth')
    content.write(path)
    return path


@pytest.fixture
def refuse(takers, refusal, tmp_path):
    """Lets a command refuse descriptions, each in a file of that form; returns the messages."""

    def refuse(taker, form, descriptions):
        write = write_json if form == 'json' else write_checkpoint
        file = write({}, tmp_path / 'hostile')
        for description in descriptions:
            write(description, file)
            message = refusal(*takers[taker](file))
            assert file.name in message or 'no architecture' in message, message
            assert not list(tmp_path.glob('out*')), description
            yield message

    return refuse


@pytest.mark.parametrize('taker, form', CASES)
def test_every_command_refuses_it(hostile, refuse, taker, form):
    some = hostile[CASES.index((taker, form)) :: 8 if taker.startswith('analyze') else 40]
    assert len(list(refuse(taker, form, some))) >= 9


@pytest.mark.slow
@pytest.mark.parametrize('taker, form', CASES)
def test_every_command_refuses_all_of_them(hostile, canary, refuse, taker, form):
    refused = 0
    for _ in refuse(taker, form, hostile):
        refused += 1
        assert not canary.exists() and EVIL not in sys.modules, hostile[refused - 1]
    assert refused == len(hostile) >= 300


@pytest.fixture
def readers(classifier, tmp_path):
    """Command lines that read a file and build nothing of what is said in it, likewise."""
    config, out, folder = classifier(epochs=1), tmp_path / 'out', tmp_path / 'study'

    def found(file):
        """A finished run that says so of its pruner, with the file in place of its own."""
        said = json.loads(file.read_text())
        run = RunResult(
            'pruning', 'pruned', 0, model='net', key='pruning/net/pruned/seed0', params=3, macs=4,
            architecture=file.name, pruner=said['backbone'], root=folder, folder='pruning/run',
            plan=Plan('net.py', {}, {'pruner': said['backbone'], 'head': said['head']}),
        )  # fmt: skip
        run.write()
        run.place.joinpath(file.name).write_bytes(file.read_bytes())
        return folder

    return {
        'test': lambda file: ('test', config, file, '--work-dir', out),
        'load_from': lambda file: (
            'train', config, '--work-dir', out, '--cfg-options', f'load_from={file}',
        ),
        'report': lambda file: ('report', found(file)),
        'verify': lambda file: ('study', 'verify', found(file)),
        'status': lambda file: ('study', 'status', found(file)),
        'clean': lambda file: ('study', 'clean', found(file), '--yes'),
    }  # fmt: skip


READERS = ('test', 'load_from', 'report', 'verify', 'status', 'clean')


def read_all(reader, call, command, descriptions, path):
    write = write_checkpoint if reader in ('test', 'load_from') else write_json
    for description in descriptions:
        done = command(*call(write(description, path)))
        assert done.status in (0, 1, 2) and 'Traceback' not in done.err, (description, done.err)
        yield done


@pytest.mark.parametrize('reader', READERS)
def test_what_builds_nothing_of_it_runs_nothing_of_it(hostile, readers, command, tmp_path, reader):
    path, few = tmp_path / 'hostile', 100 if reader == 'load_from' else 25
    assert list(read_all(reader, readers[reader], command, hostile[::few], path))


@pytest.mark.slow
@pytest.mark.parametrize('reader', READERS)
def test_what_builds_nothing_of_it_runs_nothing_of_all(
    hostile, readers, command, canary, tmp_path, reader
):
    for _ in read_all(reader, readers[reader], command, hostile, tmp_path / 'hostile'):
        assert not canary.exists() and EVIL not in sys.modules


@pytest.mark.parametrize(
    'taker',  # the others take a while, or a network that is pruned
    sorted({*TAKERS} - {'benchmark', 'train', 'study of a pruned network', 'baseline'}),
)
def test_what_is_no_hostile_file_is_taken(takers, command, tmp_path, taker):
    """The same command lines, so that it is the description that they refuse."""
    plain = PrunedArchitecture({**CIFAR}, {**LINEAR}, (3, 8, 8))
    done = command(*takers[taker](write_checkpoint(plain.to_dict(), tmp_path / 'plain')))
    assert done.status == 0, done.err


def test_a_resumed_checkpoint_runs_no_config_that_is_in_it(classifier, command, tmp_path, canary):
    """MMEngine's resume runs ``meta['config']`` as Python code."""
    work = tmp_path / 'work'
    assert command('train', classifier(epochs=1), '--work-dir', work).status == 0
    content = torch.load(work / 'epoch_1.pth', weights_only=True)
    content['meta']['config'] = f'import {EVIL}'
    torch.save(content, tmp_path / 'edited.pth')
    line = (classifier('longer.py', epochs=2), '--work-dir', tmp_path / 'other')
    done = command('train', *line, '--resume', tmp_path / 'edited.pth')
    assert done.status == 0, done.err


def test_imports_of_the_users_are_what_a_file_may_name(command, refusal, tmp_path, monkeypatch):
    code = (
        'import torch\nfrom rethink_det.registry import MODELS\n'
        '@MODELS.register_module()\nclass OneConvolution(torch.nn.Sequential):\n'
        '    def __init__(self, width):\n'
        '        super().__init__(torch.nn.Conv2d(3, width, 3))\n'
    )
    (tmp_path / 'nets_of_mine.py').write_text(code)
    (tmp_path / 'broken_nets.py').write_text('1 / 0\n')
    monkeypatch.syspath_prepend(tmp_path)
    backbone = {'type': 'rethink_det.OneConvolution', 'width': 8}
    description = {'backbone': backbone, 'head': LINEAR, 'input_shape': [3, 8, 8], 'channels': {}}
    file = write_json(description, tmp_path / 'mine')
    line = ('analyze', 'cost', file, '--json')
    assert 'import its module yourself' in refusal(*line)
    assert 'No module named' in refusal(*line, '--imports', 'no_such_module')
    assert 'ZeroDivisionError' in refusal(*line, '--imports', 'broken_nets')
    try:
        done = command(*line, '--imports', 'nets_of_mine')
    finally:
        MODELS.module_dict.pop('OneConvolution', None)
    assert json.loads(done.out)['params'] == 3 * 8 * 9 + 8 + 8 * 2 + 2
