"""A model card says what is known of a checkpoint, and of the rest that it is not known."""

import pytest
import torch

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint, save_checkpoint
from rethink_det.report.model_card import UNKNOWN, model_card, write_card


@pytest.fixture
def pruned(classifier, trained, command, tmp_path):
    out = tmp_path / 'small.pth'
    options = ('--pruner', 'L1NormPruner', '--pruner-options', 'ratios=0.5', '-o', out)
    done = command('prune', classifier(), trained, *options)
    assert done.status == 0 and 'small.card.md' in done.out
    return out


def section(card, title):
    rows = card.partition(f'## {title}\n')[2].partition('## ')[0].splitlines()
    cells = [row.strip('| ').split(' | ') for row in rows if row.startswith('| ') and ' | ' in row]
    return {cell[0]: cell[1] for cell in cells if len(cell) == 2}


def test_pruning_leaves_a_card_that_agrees_with_the_file(pruned):
    card = (pruned.parent / 'small.card.md').read_text()
    shape, checkpoint = PrunedArchitecture.load(pruned), Checkpoint.read(pruned)
    cost = shape.cost()
    found = section(card, 'Architecture')
    assert f'{cost.params:,}' in found['parameters'] and f'{cost.macs:,}' in found['multiply-adds']
    assert 'layer1.0.conv1 2 of 4' in found['channels']
    assert (
        checkpoint.digest in card
        and "'ratios': 0.5" in section(card, 'Training and data')['pruner']
    )
    assert float(section(card, 'Results')['accuracy/top1']) >= 0


def test_the_lines_that_it_shows_load_the_network(pruned, monkeypatch):
    card = (pruned.parent / 'small.card.md').read_text()
    code = card.partition('```python\n')[2].partition('```')[0]
    monkeypatch.chdir(pruned.parent)
    names: dict = {}
    exec(code, names)
    state = names['network'].state_dict()
    assert all(torch.equal(state[n], t) for n, t in Checkpoint.read(pruned).weights.items())


def test_training_leaves_one_with_its_last_metrics(classifier, command, tmp_path):
    done = command('train', classifier(epochs=1), '--work-dir', tmp_path / 'work')
    assert done.status == 0
    card = (tmp_path / 'work' / 'epoch_1.card.md').read_text()
    said = next(line for line in done.out.splitlines() if line.startswith('accuracy/top1: '))
    assert float(section(card, 'Results')['accuracy/top1']) == pytest.approx(
        float(said.split(': ')[1]), rel=1e-5
    )
    assert section(card, 'Training and data')['seed'] == '1'
    assert section(card, 'Training and data')['made from'] == 'random weights'


def test_what_nobody_said_is_not_known(tmp_path, command, refusal):
    save_checkpoint({'state_dict': {'conv.weight': torch.ones(3)}}, tmp_path / 'bare.pth')
    card = model_card(Checkpoint.read(tmp_path / 'bare.pth'))
    origin = section(card, 'Training and data')
    assert set(origin.values()) == {UNKNOWN}
    assert section(card, 'Architecture')['architecture'] == UNKNOWN
    assert command('card', tmp_path / 'bare.pth').out == card
    assert command('card', tmp_path / 'bare.pth', '-o', tmp_path / 'a.md').status == 0
    assert (tmp_path / 'a.md').read_text() == card
    assert 'is read: name another' in refusal(
        'card', tmp_path / 'bare.pth', '-o', tmp_path / 'bare.pth'
    )
    with pytest.raises(UserError, match=r'gone\.pth'):
        write_card(tmp_path / 'gone.pth')
