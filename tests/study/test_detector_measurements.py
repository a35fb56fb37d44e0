"""What is measured of a trained detector; each that fails leaves the others, and a reason."""

import json
from copy import deepcopy
from dataclasses import fields

import numpy as np
import pytest
from mmengine.config import Config

from rethink_det.architecture.checkpoint import load_checkpoint
from rethink_det.detection.measuring.detector import DetectorAtWork
from rethink_det.layout import CURVES, SHEET
from rethink_det.report.image_replicates import ImageReplicates, write_reason
from rethink_det.report.run_result import RunResult
from rethink_det.report.spent import Spent
from rethink_det.study import detector_measurements as module
from rethink_det.study import ledger
from rethink_det.study.detector_measurements import DetectorMeasurements, detector_measurements
from tests.slow_ones import slow_where
from tests.tiny_detector import ARCHITECTURE, write_mask_rcnn

REPLICATES = ImageReplicates.of(4, 'ab' * 32, {'coco/bbox_mAP': np.array([0.25, 0.5])})
TIMES = ('latency_ms', 'latency_device', 'peak_memory_mib')


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    return write_mask_rcnn(tmp_path_factory.mktemp('detector'))


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    measure = DetectorAtWork.latency_ms
    monkeypatch.setattr(DetectorAtWork, 'latency_ms', lambda work: measure(work, seconds=0))


@pytest.fixture
def measure(trained):
    """Measures the detector, by another config if need be, from a clean folder on."""
    own, path = trained
    for name in (SHEET, CURVES):
        (path.parent / name).unlink(missing_ok=True)
    REPLICATES.write(path.parent)

    def run(config=own):
        state = load_checkpoint(path)['state_dict']
        return detector_measurements(config, ARCHITECTURE, state, path)

    return run


def parameters(path):
    model = load_checkpoint(path)['state_dict']
    buffers = ('running_mean', 'running_var', 'num_batches_tracked')
    return [tensor for name, tensor in model.items() if not name.endswith(buffers)]


def changed(config, **values):
    """The config with other values; ``None`` deletes one."""
    config = Config(deepcopy(config.to_dict()))
    config.merge_from_dict(values)
    return config


def missing(found):
    """What is not known, in what the training took as well."""
    told = vars(found) | vars(found.spent)
    return {name for name, value in told.items() if value is None}


def test_everything_is_measured(measure, trained):
    found = measure()
    assert missing(found) == {'unmeasured'}
    assert found.input_shape == (3, 128, 128)
    assert found.input_origin == 'the first image of test_dataloader'
    assert found.params == sum(t.numel() for t in parameters(trained[1]))
    assert found.backbone_macs == ARCHITECTURE.cost((3, 128, 128)).macs - 128 * 8
    assert found.macs > found.backbone_macs and found.macs_of == 'detector'
    assert found.backbone_params == ARCHITECTURE.cost().params - 129 * 8
    # Four images to train on, in so many epochs, and four to evaluate on after the last.
    assert found.spent == Spent(
        3 * found.macs * 4 * trained[0].train_cfg.max_epochs, 0, found.macs * 4, {}
    )
    assert [one.stride for one in found.stages] == [4, 8, 16, 32]
    assert found.latency_ms > 0 and found.peak_memory_mib > 0 and found.latency_device
    assert (trained[1].parent / SHEET).is_file()
    assert vars(found).items() >= vars(REPLICATES).items()


def test_replicates_that_could_not_be_had_are_missed_for_a_reason(trained, measure):
    write_reason('MemoryError: no room', trained[1].parent)
    found = detector_measurements(trained[0], ARCHITECTURE, {}, trained[1])
    assert {'test_images', 'test_digest', 'replicates'} <= missing(found)
    assert 'replicates: MemoryError: no room' in found.unmeasured


def test_they_are_fields_of_a_result():
    names = {field.name for field in fields(RunResult)}
    assert {field.name for field in fields(DetectorMeasurements)} <= names


COSTS = ('macs', 'macs_conv', 'macs_linear', 'backbone_params', 'backbone_macs', 'regions')
COSTS += ('training', 'evaluation')
BROKEN = {
    'input_shape': (module, 'input_size', {'input_shape', 'input_origin', *COSTS}),
    'macs': (module, 'detector_cost', set(COSTS)),
    'train_macs': (ledger, 'of_training', {'training'}),
    'evaluation': (ledger, 'of_evaluations', {'evaluation'}),
    'stages': (module, 'stage_widths', {'stages'}),
    'latency_ms': (DetectorAtWork, 'latency_ms', {'latency_ms', 'latency_device'}),
    'peak_memory_mib': (DetectorAtWork, 'peak_memory_mib', {'peak_memory_mib'}),
    'sheet': (DetectorAtWork, 'write_sheet', set()),
    'latency_ms, peak_memory_mib, sheet': (module, 'detector_at_work', set(TIMES)),
}  # fmt: skip
"""What is broken: its name in the result, where it is, and what is missing then."""


@pytest.mark.parametrize('name', slow_where('input|train|stages|peak_memory_mib$', BROKEN))
def test_one_that_fails_leaves_the_others(name, measure, trained, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError('out of memory')

    where, what, lost = BROKEN[name]
    monkeypatch.setattr(where, what, fail)
    found = measure()
    assert missing(found) == lost
    assert f'{name}: RuntimeError: out of memory' in found.unmeasured
    assert (trained[1].parent / SHEET).is_file() == ('sheet' not in name)


@pytest.mark.parametrize('name', slow_where('^(?!macs)', BROKEN))
def test_who_ends_the_program_ends_it(name, measure, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    where, what, _ = BROKEN[name]
    monkeypatch.setattr(where, what, interrupt)
    with pytest.raises(KeyboardInterrupt):
        measure()


@pytest.mark.parametrize(
    'where, what, value, said',
    [
        (ledger, 'of_training', float('inf'), 'train_macs: it came out as inf'),
        (DetectorAtWork, 'latency_ms', float('nan'), 'latency_ms: it came out as nan'),
        (DetectorAtWork, 'peak_memory_mib', -1.0, 'peak_memory_mib: it came out as -1.0'),
    ],
)
def test_a_number_that_is_none_is_no_measurement(where, what, value, said, measure, monkeypatch):
    monkeypatch.setattr(where, what, lambda *_: value)
    found = measure()
    assert found.unmeasured == said
    assert value not in vars(found).values()


# -- what really goes wrong ------------------------------------------------------------------


def test_what_follows_from_an_unknown_size_is_unknown(measure, trained):
    unsized = changed(trained[0], test_dataloader=None, val_dataloader=None, train_dataloader=None)
    found = measure(unsized)
    assert missing(found) == {'input_shape', 'input_origin', *COSTS, *TIMES}
    assert found.params == sum(t.numel() for t in parameters(trained[1]))
    assert found.unmeasured == (
        'input_shape: The size of the images cannot be told (the config has no data); '
        'macs: input_shape is not known; '
        'latency_ms, peak_memory_mib, sheet: The config has no val_dataloader; '
        'train_macs, evaluation: macs is not known'
    )


def test_without_validation_data_the_size_is_that_of_the_test(measure, trained):
    found = measure(changed(trained[0], val_dataloader=None))
    assert missing(found) == set(TIMES)
    assert found.input_shape == (3, 128, 128)


def test_training_data_that_went_away_cost_the_training_compute_alone(measure, trained):
    root = {'train_dataloader.dataset.ann_file': 'gone.json'}
    found = measure(changed(trained[0], **root))
    assert missing(found) == {'training'}
    assert found.unmeasured.startswith('train_macs: ')


def test_images_that_the_backbone_does_not_take_cost_the_macs(measure, trained):
    gray = deepcopy(trained[0])
    gray.test_dataloader.dataset.pipeline[0].color_type = 'grayscale'
    gray.model.data_preprocessor = dict(type='BaseDataPreprocessor')
    found = measure(gray)
    assert found.input_shape == (1, 128, 128)
    assert found.macs is found.backbone_macs is found.spent.training is None
    assert 'train_macs, evaluation: macs is not known' in found.unmeasured


@pytest.mark.parametrize(
    'content, said',
    [
        ({'unmeasured': 'RuntimeError: no room'}, 'curves: RuntimeError: no room'),
        ({'bbox': {}}, None),
    ],
)
def test_curves_that_the_training_could_not_leave_are_told(measure, trained, content, said):
    (trained[1].parent / CURVES).write_text(json.dumps(content))
    assert measure().unmeasured == said


def test_a_damaged_file_of_curves_is_told(measure, trained):
    (trained[1].parent / CURVES).write_text('{')
    assert measure().unmeasured.startswith('curves: ') and 'not valid JSON' in measure().unmeasured


def test_weights_that_do_not_fit_cost_what_the_detector_is_needed_for(measure, trained):
    other = changed(trained[0], **{'model.roi_head.bbox_head.num_classes': 3})
    found = measure(other)
    assert missing(found) == set(TIMES)
    assert 'does not fit the config' in found.unmeasured


@pytest.mark.cpu  # a GPU counts its own memory
@pytest.mark.slow
def test_measuring_twice_comes_to_the_same(measure):
    first, second = (vars(measure()) for _ in range(2))
    assert {k: v for k, v in first.items() if k != 'latency_ms'} == {
        k: v for k, v in second.items() if k != 'latency_ms'
    }
