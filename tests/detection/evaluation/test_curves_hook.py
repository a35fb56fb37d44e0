"""The file of curves that a training leaves."""

import json
import logging
from types import SimpleNamespace

import pytest

from rethink_det.detection.evaluation import curves_hook
from rethink_det.layout import CURVES
from rethink_det.registry import HOOKS

BOXES = dict(bbox=dict(precision={'0.50': [0.5, 0.25]}, classes=[]))


@pytest.fixture
def validated(tmp_path):
    """Tells the hook of a validation by these metrics; gives what it wrote."""

    def tell(*metrics):
        runner = SimpleNamespace(
            val_loop=SimpleNamespace(evaluator=SimpleNamespace(metrics=metrics)),
            work_dir=str(tmp_path),
            logger=logging.getLogger('curves'),
        )
        HOOKS.build(dict(type='rethink_det.CurvesHook')).after_val_epoch(runner)
        path = tmp_path / CURVES
        return json.loads(path.read_text()) if path.exists() else None

    return tell


def test_all_that_the_metrics_remember_is_written(validated):
    masks = dict(segm=BOXES['bbox'])
    metrics = [SimpleNamespace(curves=BOXES), object(), SimpleNamespace(curves=masks)]
    assert validated(*metrics) == BOXES | masks


def test_metrics_without_curves_leave_no_file(validated):
    assert validated(object(), SimpleNamespace(curves={})) is None


def test_the_main_process_alone_writes(validated, monkeypatch):
    monkeypatch.setattr(curves_hook, 'is_main_process', lambda: False)
    assert validated(SimpleNamespace(curves=BOXES)) is None


def test_what_cannot_be_written_costs_no_training(validated, caplog):
    endless = dict(BOXES)
    endless['bbox'] = endless
    found = validated(SimpleNamespace(curves=endless))
    assert list(found) == ['unmeasured'] and found['unmeasured'].startswith('RecursionError')
    assert 'Traceback' in caplog.text
