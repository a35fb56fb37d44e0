"""Classes are known by their names, whatever the order of the categories in the file."""

import json
from itertools import permutations

import pytest
import torch
from mmdet.datasets import CocoDataset as MMDetCocoDataset

from rethink_det.detection.datasets.coco_dataset import CocoDataset
from rethink_det.detection.evaluation.coco_metric import CocoMetric

NAMES = ('circle', 'square', 'star')


@pytest.fixture
def written(tmp_path):
    """Writes a file of one object of each class; gives its path."""

    def write(order, ids=(7, 2, 5)):
        numbers = dict(zip(NAMES, ids, strict=True))
        objects = [
            dict(id=i, image_id=1, category_id=numbers[name], iscrowd=0, area=100,
                 bbox=[20 * i, 5, 10, 10])
            for i, name in enumerate(NAMES)
        ]  # fmt: skip
        content = dict(
            images=[dict(id=1, file_name='a.jpg', width=100, height=50)],
            categories=[dict(id=numbers[name], name=name) for name in order],
            annotations=objects,
        )
        path = tmp_path / 'a.json'
        path.write_text(json.dumps(content))
        return path

    return write


def labels(kind, path, names=NAMES):
    """The numbers of the three objects, from left to right."""
    found = kind(
        ann_file=str(path), metainfo=dict(classes=names), data_prefix=dict(img=''), pipeline=[]
    )
    instances = found.get_data_info(0)['instances']
    return [one['bbox_label'] for one in sorted(instances, key=lambda one: one['bbox'])]


@pytest.mark.parametrize('order', [*permutations(NAMES)])
def test_the_number_of_a_class_is_its_place_in_the_config(written, order):
    assert labels(CocoDataset, written(order)) == [0, 1, 2]
    assert labels(CocoDataset, written(order), NAMES[::-1]) == [2, 1, 0]


def test_in_the_files_order_it_is_as_mmdet_has_it(written):
    path = written(NAMES)
    for names in (NAMES, NAMES[1:], NAMES[:1]):
        assert labels(CocoDataset, path, names) == labels(MMDetCocoDataset, path, names)


@pytest.mark.parametrize('order', [*permutations(NAMES)])
@pytest.mark.parametrize('backend', ['faster', 'pycocotools'])
def test_what_is_found_is_judged_by_the_same_names(written, order, backend):
    metric = CocoMetric(ann_file=str(written(order)), backend=backend, classwise=True)
    metric.dataset_meta = dict(classes=NAMES)
    boxes = torch.tensor([[20.0 * i, 5, 20 * i + 10, 15] for i in range(3)])
    found = dict(bboxes=boxes, scores=torch.ones(3), labels=torch.tensor([0, 1, 1]))
    metric.process({}, [dict(img_id=1, ori_shape=(50, 100), pred_instances=found)])
    metrics = metric.evaluate(1)
    assert [metrics[f'coco/{name}_precision'] for name in NAMES] == [1, 1, 0]
