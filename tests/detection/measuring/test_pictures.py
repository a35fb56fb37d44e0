"""A few images, what is on them and what a detector finds there."""

import base64
import io
import json

import numpy as np
import pytest
import torch
from hotcoco import mask as mask_tools
from mmengine.structures import InstanceData
from PIL import Image

from rethink_det.detection.measuring.pictures import SIDE, detections, first_images, picture


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
