"""The console has what goes on, the folder has everything."""

import json
from pathlib import Path

import pytest

from rethink_det import UserError, load_config
from rethink_det.compat.quiet import VERBOSE
from rethink_det.report.checksums import is_sealed
from rethink_det.training.launch import evaluate, train
from rethink_det.training.resumable import last_checkpoint

LONG = ('Config:', 'Hooks will be executed', 'System environment')


@pytest.fixture
def printed(tiny_config, capsys, monkeypatch):
    """What a training prints, and its log file."""

    def run(verbose=False):
        if verbose:
            monkeypatch.setenv(VERBOSE, '1')
        config = tiny_config(epochs=1)
        config.log_level = 'INFO'
        train(config)
        (log,) = Path(config.work_dir).rglob('*.log')
        return capsys.readouterr().out, log.read_text()

    return run


def named(config, folder):
    """The same, out of a file."""
    config.dump(folder / 'mine.py')
    return load_config(folder / 'mine.py')


def test_the_first_number_is_on_the_first_screen(printed):
    console, log = printed()
    lines = console.splitlines()
    first = next(place for place, line in enumerate(lines) if 'Epoch(' in line)
    assert first < 12
    for words in LONG:
        assert words not in console
        assert words in log


def test_all_of_it_is_there_for_who_asks(printed):
    console, _ = printed(verbose=True)
    assert all(words in console for words in LONG)


def test_the_folder_is_that_of_the_run_wherever_it_is(tiny_config, tmp_path):
    config = named(tiny_config('here', epochs=1), tmp_path)
    train(config)
    moved = Path(config.work_dir).rename(tmp_path / 'there')
    assert is_sealed(moved / 'mine.py')
    again = load_config(moved / 'mine.py')
    assert Path(again.work_dir) == moved
    again.train_cfg.max_epochs, again.resume = 2, True
    train(again)
    assert last_checkpoint(moved) == moved / 'epoch_2.pth'
    assert not Path(config.work_dir).exists()


def test_an_evaluation_leaves_the_config_of_the_training(tiny_config, tmp_path):
    config = named(tiny_config(epochs=1), tmp_path)
    trained = train(config)
    written = Path(config.work_dir) / 'mine.py'
    before = written.read_bytes()
    config.test_dataloader, config.test_evaluator = config.val_dataloader, config.val_evaluator
    config.test_cfg = {}
    config.optim_wrapper.optimizer.lr = 7.0
    assert evaluate(config, last_checkpoint(config.work_dir)) == trained
    assert written.read_bytes() == before


def test_a_config_whose_architecture_is_gone_is_refused_before_anything_is_made(tiny_config):
    config = tiny_config('none')
    gone = {'type': 'rethink_det.PrunedBackbone', 'architecture': 'gone.json'}
    config.model.backbone = gone
    with pytest.raises(UserError, match='gone.json'):
        train(config)
    assert not Path(config.work_dir).exists()


def test_progress_tells_epochs_and_loss(tiny_config):
    config = tiny_config(epochs=1)
    config.default_hooks = {'progress': {'type': 'rethink_det.ProgressHook', 'interval': 0.0}}
    train(config)
    done, total, epochs, loss = (Path(config.work_dir) / 'progress.txt').read_text().split()
    assert (done, total, epochs) == ('3', '3', '1')
    (scalars,) = Path(config.work_dir).rglob('scalars.json')
    assert json.loads(scalars.read_text().splitlines()[0])['loss'] != 0 < float(loss)
