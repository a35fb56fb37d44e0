"""Latency, peak memory, widths and pictures of a detector: right, repeatable, without a trace."""

import base64
import io
import json
from copy import deepcopy

import numpy as np
import pytest
import torch
from faster_coco_eval import mask as mask_tools
from mmengine.registry import MODELS, DefaultScope
from mmengine.structures import InstanceData
from PIL import Image
from torch import nn

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import save_checkpoint
from rethink_det.datasets.shapes import build_shapes
from rethink_det.detection.measuring.detector import measure_detector
from rethink_det.detection.measuring.latency import LEAST, MOST, median_latency, name_of
from rethink_det.detection.measuring.peak_memory import TensorsAlive, peak_memory
from rethink_det.detection.measuring.pictures import SIDE, detections, first_images, picture
from rethink_det.detection.measuring.stages import stage_widths
from rethink_det.errors import UserError
from rethink_det.layout import SHEET
from rethink_det.training.config import find_config, load_config

CPU = torch.device('cpu')
MASKS = 'detection/mask-rcnn_r18-w16_fpn_shapes.py'
RESNET = dict(type='mmdet.ResNet', depth=18, base_channels=16)
HEAD = dict(type='rethink_det.LinearHead', num_classes=8)


# -- latency ---------------------------------------------------------------------------------


def test_the_median_is_of_calls_in_turns():
    made = []
    calls = [lambda i=i: made.append(i) for i in range(3)]
    assert median_latency(calls, CPU, seconds=0) >= 0
    assert made == [0, 1, 2, 0, 1][:LEAST]
    made.clear()
    median_latency(calls, CPU, seconds=60)
    assert len(made) == MOST


def test_a_cpu_is_named_with_its_threads():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert name_of(CPU).endswith(', 1 thread')
        torch.set_num_threads(2)
        assert name_of(CPU).endswith(', 2 threads')
    finally:
        torch.set_num_threads(before)


# -- memory ----------------------------------------------------------------------------------


def test_peak_memory_is_that_of_the_largest_tensors_held_at_once():
    network = nn.Sequential(nn.Linear(100, 1000), nn.ReLU(), nn.Linear(1000, 10)).eval()
    images = torch.rand(4, 100)
    with torch.no_grad():
        peak = peak_memory(network, lambda: network(images), CPU)
    weights = 4 * (100 * 1000 + 1000 + 1000 * 10 + 10)
    assert peak == weights + 2 * 4 * (4 * 1000)  # before and after ReLU; Linear's views are free


def test_freed_tensors_leave_and_views_add_nothing():
    with TensorsAlive(nn.Identity()) as alive:
        first = torch.zeros(1000)
        assert alive.now == 4000
        views = first[10:].view(-1), first.t()
        first.add_(1)
        assert alive.now == 4000
        del first, views
        assert alive.now == 0
        torch.zeros(10)
    assert alive.peak == 4000


# -- widths ----------------------------------------------------------------------------------


def resnet(**channels):
    return PrunedArchitecture(RESNET, HEAD, (3, 64, 64), channels)


def test_widths_inside_of_stages_and_between_them():
    cut = resnet(**{'layer1.0.conv1': 4, 'layer4.1.conv1': 100})
    stages = stage_widths(cut, dict(out_indices=(0, 1, 2, 3)))
    assert [one['stride'] for one in stages] == [4, 8, 16, 32]
    assert [one['width'] for one in stages] == [one['base_width'] for one in stages]
    assert [one['base_inside'] for one in stages] == [4 * 16, 5 * 32, 5 * 64, 5 * 128]
    assert [one['base_inside'] - one['inside'] for one in stages] == [12, 0, 0, 28]


def test_a_narrower_output_shows():
    coupled = ('layer2.0.conv2', 'layer2.0.downsample.0', 'layer2.1.conv2')
    narrow = resnet(**dict.fromkeys(coupled, 20))
    _, second, *_ = stage_widths(narrow, dict(out_indices=(0, 1, 2, 3)))
    assert (second['width'], second['base_width'], second['stride']) == (20, 32, 8)


# -- pictures --------------------------------------------------------------------------------


class Dataset(list):
    """What is asked of a data set: a length, and what is known of each image."""

    get_data_info = list.__getitem__


def info(number, ignored=False, **more):
    one = dict(bbox=[0, 0, 8, 4], bbox_label=1, ignore_flag=int(ignored), **more)
    return dict(img_id=number, instances=[one])


def test_first_images_are_those_of_lowest_id_with_objects():
    nothing = dict(img_id=1, instances=[])
    images = Dataset([info(9), nothing, info(5), info(2, ignored=True), info(7)])
    assert first_images(images, 2) == [2, 4]
    assert first_images(Dataset([nothing]), 2) == []


@pytest.mark.parametrize('form', ['polygon', 'runs', 'compressed'])
def test_a_picture_is_small_and_its_truth_in_pixels_of_the_whole(tmp_path, form):
    whole = np.zeros((500, 1000, 3), np.uint8)
    whole[:, :500] = (255, 0, 0)
    Image.fromarray(whole).save(tmp_path / 'a.png')
    mask = np.zeros((500, 1000), np.uint8, order='F')
    mask[:, :500] = 1
    forms = {
        'polygon': [[0, 0, 500, 0, 500, 500, 0, 500]],
        'runs': dict(size=[500, 1000], counts=[0, 250_000, 250_000]),
        'compressed': mask_tools.encode(mask),
    }
    found = picture({**info(3, mask=forms[form]), 'img_path': str(tmp_path / 'a.png')})
    assert (found['id'], found['width'], found['height']) == ('3', 1000, 500)
    image = Image.open(io.BytesIO(base64.b64decode(found['jpeg'])))
    assert image.size == (SIDE, SIDE // 2)
    red, _, blue = image.getpixel((10, 10))
    assert red > 240 and blue < 15  # RGB, not BGR
    assert found['truth']['boxes'] == [[0, 0, 8, 4]]
    (rle,) = found['truth']['masks']
    json.dumps(found)
    np.testing.assert_array_equal(mask_tools.decode(rle), mask)


def test_detections_are_the_sure_ones_the_surest_first():
    masks = torch.zeros(3, 20, 30, dtype=torch.bool)
    masks[2, 5:9, 1:4] = True
    found = InstanceData(
        bboxes=torch.tensor([[0, 0, 9, 9], [1.23, 2, 3, 4], [1, 5, 4, 9]], dtype=torch.float),
        scores=torch.tensor([0.1, 0.3, 0.9]),
        labels=torch.tensor([0, 1, 2]),
        masks=masks,
    )
    kept = detections(found, threshold=0.3)
    assert kept['labels'] == [2, 1] and kept['scores'] == [0.9, 0.3]
    assert kept['boxes'][1] == [1.2, 2, 3, 4]
    np.testing.assert_array_equal(mask_tools.decode(kept['masks'][0]), masks[2])
    assert detections(found, threshold=1)['boxes'] == []


# -- all of it -------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def mask_rcnn(tmp_path_factory):
    """Config and checkpoint of a detector with fresh weights that finds something everywhere."""
    folder = tmp_path_factory.mktemp('detector')
    size = dict(crops=(8, 8), images=(4, 4))
    root = str(build_shapes(folder / 'shapes', **size))
    config = load_config(find_config(MASKS))
    config.merge_from_dict(
        {f'val_dataloader.dataset.{k}': v for k, v in dict(data_root=root, **size).items()}
        | {'model.test_cfg.rcnn.score_thr': 0.0}
    )
    torch.manual_seed(0)
    described = resnet().to_dict()
    config.model.backbone = dict(
        type='rethink_det.PrunedBackbone', architecture=described, out_indices=(0, 1, 2, 3)
    )
    meta = dict(architecture=described)
    path = folder / 'epoch_1.pth'
    state = trained_state(config)
    save_checkpoint({'meta': meta, 'state_dict': state}, path)
    return config, path


def trained_state(config):
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MODELS.build(config.model).state_dict()


def test_a_whole_detector_is_measured(mask_rcnn, tmp_path, monkeypatch):
    monkeypatch.setattr('rethink_det.detection.measuring.detector.THRESHOLD', 0.0)
    config, path = mask_rcnn
    drawn = torch.random.get_rng_state()
    facts = measure_detector(config, path, tmp_path, seconds=0)
    assert torch.equal(torch.random.get_rng_state(), drawn)
    assert 0 < facts['latency_ms'] < 60_000
    weights = sum(t.nbytes for t in trained_state(config).values()) / 2**20
    assert weights < facts['peak_memory_mib'] < weights + 100
    sheet = json.loads((tmp_path / SHEET).read_text())
    assert sheet['classes'][0] == 'disk'
    assert [one['id'] for one in sheet['images']] == sorted(one['id'] for one in sheet['images'])
    assert all(one['truth']['masks'] and one['found']['masks'] for one in sheet['images'])
    measure_detector(config, path, tmp_path, seconds=0)
    assert json.loads((tmp_path / SHEET).read_text()) == sheet


def test_a_checkpoint_of_another_detector_is_refused(mask_rcnn, tmp_path):
    config, path = mask_rcnn
    other = deepcopy(config)
    other.merge_from_dict({'model.roi_head.bbox_head.num_classes': 3})
    with pytest.raises(UserError, match='epoch_1.pth does not fit the config'):
        measure_detector(other, path, tmp_path)
    assert not (tmp_path / SHEET).exists()


def test_a_preprocessor_beside_the_model_is_the_models(mask_rcnn, tmp_path, monkeypatch):
    monkeypatch.setattr('rethink_det.detection.measuring.detector.THRESHOLD', 0.0)
    # Where a Runner looks for it, too.
    config, path = mask_rcnn
    beside = deepcopy(config)
    beside.data_preprocessor = beside.model.pop('data_preprocessor')
    shifted = deepcopy(config)
    shifted.merge_from_dict({'model.data_preprocessor.mean': [0.0, 0.0, 0.0]})
    found = {}
    for name, one in dict(inside=config, beside=beside, shifted=shifted).items():
        measure_detector(one, path, tmp_path / name, seconds=0)
        found[name] = json.loads((tmp_path / name / SHEET).read_text())['images']
    assert found['beside'] == found['inside'] != found['shifted']


def test_data_without_objects_cannot_be_measured(mask_rcnn, tmp_path, monkeypatch):
    config, path = mask_rcnn
    monkeypatch.setattr('rethink_det.detection.measuring.detector.first_images', lambda *_: [])
    with pytest.raises(UserError, match='no image with an object'):
        measure_detector(config, path, tmp_path)
