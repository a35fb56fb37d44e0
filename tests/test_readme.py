"""What the README shows is what runs."""

import re
import shlex
from pathlib import Path

import pytest
import torch
import torch_pruning as tp
from torchvision.models import resnet50

from rethink_det.cli import _options, main
from rethink_det.registry import PRUNERS
from rethink_det.study.names import find_study
from rethink_det.training.config import find_config, load_config

README = (Path(__file__).resolve().parents[1] / 'README.md').read_text()
BLOCKS = re.findall(r'```(\w+)\n(.*?)```', README, re.DOTALL)
COMMANDS = [
    shlex.split(line)[1:]
    for kind, block in BLOCKS
    if kind == 'bash'
    for line in block.replace('\\\n', ' ').splitlines()
    if line.startswith('rethink-det ')
]
SNIPPETS = [block for kind, block in BLOCKS if kind == 'python']


def test_there_is_something_to_run():
    assert {command[0] for command in COMMANDS} >= {'train', 'test', 'prune', 'study', 'analyze'}
    assert len(SNIPPETS) == 3
    assert '@@' not in README


@pytest.mark.parametrize('command', COMMANDS, ids=' '.join)
def test_each_command_is_understood(command):
    options = _options(command)
    named = getattr(options, 'config', None) or getattr(options, 'study', None)
    if named and not named.startswith('work_dirs'):
        assert find_study(named) if command[0] == 'study' else find_config(named)


def test_a_command_that_is_not_shown_is_refused():
    with pytest.raises(SystemExit, match='2'):
        _options(['sculpt', 'resnet34-a'])


def run(snippet):
    exec(compile(snippet, 'README', 'exec'), {'__name__': 'readme'})


def test_the_api_snippet_runs(capsys):
    run(next(s for s in SNIPPETS if 'small.cost()' in s))
    assert '20,151,764 parameters, 3,100,184,576 MACs' in capsys.readouterr().out


def test_the_pruner_of_your_own_runs(capsys):
    snippet = next(s for s in SNIPPETS if 'SpreadPruner' in s)
    try:
        run(snippet)
    finally:
        PRUNERS.module_dict.pop('SpreadPruner', None)
    assert len([line for line in snippet.splitlines() if line.strip()]) <= 20
    macs = re.findall(r'[\d,]+', capsys.readouterr().out)
    assert macs[-1] == '125,485,696' and int(macs[0].replace(',', '')) < 70_000_000


def test_the_config_snippet_builds(tmp_path):
    from mmdet.registry import MODELS

    file = tmp_path / 'mine.py'
    file.write_text(next(s for s in SNIPPETS if '_base_' in s))
    detector = MODELS.build(load_config(file).model)
    assert detector.backbone.layer1[1].conv1.out_channels == 44


def networks_from_elsewhere():
    """What ``convert`` is shown on: torchvision's weights, and the same cut by Torch-Pruning."""
    network = resnet50()
    torch.save(network.state_dict(), 'resnet50.pth')
    images, importance = torch.randn(1, 3, 64, 64), tp.importance.MagnitudeImportance()
    settings = dict(pruning_ratio=0.25, ignored_layers=[network.fc])
    tp.pruner.MagnitudePruner(network, images, importance, **settings).step()
    torch.save(network.state_dict(), 'cut.pth')


@pytest.mark.slow
def test_the_tutorial_runs_from_top_to_bottom(tmp_path, monkeypatch, capsys):
    """Training is cut to one epoch; everything else is run as it stands."""
    monkeypatch.chdir(tmp_path)
    networks_from_elsewhere()
    for command in COMMANDS:
        if command[0] == 'benchmark':
            continue  # tests/cli/test_benchmark.py runs them at a smaller size
        if command[0] in ('study', 'report') and '--dry-run' not in command:
            continue  # make demo runs a whole study
        command = [re.sub(r'(epoch_|epochs=)\d+', r'\g<1>1', word) for word in command]
        if command[0] == 'train':
            command += ['--cfg-options', 'train_cfg.max_epochs=1']
        with pytest.raises(SystemExit) as end:
            main(command)
        assert end.value.code == 0, command
    assert 'coco/bbox_mAP' in capsys.readouterr().out
