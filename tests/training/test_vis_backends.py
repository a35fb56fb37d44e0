"""MMEngine's own visualisation backends work through our train, and ours break none of them."""

from pathlib import Path

import pytest

from rethink_det.architecture.checkpoint import digest, load_checkpoint
from rethink_det.training.launch import train
from rethink_det.training.resumable import last_checkpoint

WHY = 'TensorBoard is not installed'


def visualised(config, backend):
    config.visualizer = dict(type='mmengine.Visualizer', vis_backends=[dict(type=backend)])
    return config


def test_tensorboard_gets_losses_and_metrics(tiny_config):
    events = pytest.importorskip(
        'tensorboard.backend.event_processing.event_accumulator', reason=WHY
    )
    config = visualised(tiny_config(epochs=2), 'TensorboardVisBackend')
    metrics = train(config)
    (file,) = Path(config.work_dir).rglob('events.out.tfevents.*')
    found = events.EventAccumulator(str(file.parent)).Reload()
    assert {'loss', 'lr', 'accuracy/top1'} <= set(found.Tags()['scalars'])
    assert found.Scalars('accuracy/top1')[-1].value == pytest.approx(metrics['accuracy/top1'])


def test_weights_and_biases_has_them_offline(tiny_config, monkeypatch):
    pytest.importorskip('wandb', reason='W&B is not installed')
    monkeypatch.setenv('WANDB_MODE', 'offline')
    config = visualised(tiny_config(epochs=1), 'WandbVisBackend')
    train(config)
    (file,) = Path(config.work_dir).rglob('run-*.wandb')
    content = file.read_bytes()
    assert b'accuracy/top1' in content and b'loss' in content


def test_mlflow_has_them_in_a_folder(tiny_config, tmp_path, monkeypatch):
    mlflow = pytest.importorskip('mlflow', reason='MLflow is not installed')
    monkeypatch.setenv('MLFLOW_ALLOW_FILE_STORE', 'true')
    config = visualised(tiny_config(epochs=2), 'MLflowVisBackend')
    place = (tmp_path / 'mlruns').as_uri()
    config.visualizer.vis_backends[0].update(tracking_uri=place, exp_name='tiny')
    metrics = train(config)
    mlflow.end_run()
    client = mlflow.MlflowClient(place)
    (run,) = client.search_runs([client.get_experiment_by_name('tiny').experiment_id])
    assert run.data.metrics['accuracy/top1'] == pytest.approx(metrics['accuracy/top1'])
    assert len(client.get_metric_history(run.info.run_id, 'accuracy/top1')) == 2


def test_weights_do_not_depend_on_who_watches(tiny_config, tmp_path):
    pytest.importorskip('tensorboard', reason=WHY)
    found = []
    for backend in ('LocalVisBackend', 'TensorboardVisBackend'):
        config = visualised(tiny_config(epochs=1), backend)
        config.work_dir = str(tmp_path / backend)
        train(config)
        found.append(digest(load_checkpoint(last_checkpoint(config.work_dir))['state_dict']))
    assert found[0] == found[1]


def test_an_unknown_backend_is_refused(tiny_config):
    with pytest.raises(KeyError, match='NoSuchVisBackend is not in the'):
        train(visualised(tiny_config(epochs=1), 'NoSuchVisBackend'))
