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
