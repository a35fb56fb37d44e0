"""``test --tta``: a detector judged on several views of each image, as mmdet's tools/test.py does.

The config's own ``tta_model`` and ``tta_pipeline`` count; where there are none, an image and its
mirror image are looked at, and boxes of both that overlap are merged by NMS.
"""

from collections.abc import Mapping
from copy import deepcopy

from mmengine.config import Config

from rethink_det.detection.datasets.data_root import learns_masks
from rethink_det.errors import UserError
from rethink_det.transfer.adapted import Adapted, Change

MODEL, PIPELINE = 'tta_model', 'tta_pipeline'
MERGING = {
    'type': 'DetTTAModel',  # which mmdet registers in MMEngine's scope
    'tta_cfg': {'nms': {'type': 'nms', 'iou_threshold': 0.5}, 'max_per_img': 100},
}
_PACKED = ('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'flip', 'flip_direction')
FLIPS = {
    'type': 'TestTimeAug',
    'transforms': [
        [{'type': 'RandomFlip', 'prob': 1.0}, {'type': 'RandomFlip', 'prob': 0.0}],
        [{'type': 'PackDetInputs', 'meta_keys': _PACKED}],
    ],
}


def with_test_time_augmentation(config: Config) -> Adapted:
    """A config whose tests look at several views of each image.

    Args:
        config: Of a detector, with test data; left as it is.

    Returns:
        The config, and what is taken that it does not say itself.

    Raises:
        UserError: It has no test data, or its detector learns masks, which mmdet does not merge.
    """
    config, changes = deepcopy(config), []
    if not config.get('test_dataloader'):
        raise UserError('--tta: the config has no test_dataloader.')
    if learns_masks(config.model):
        raise UserError(
            '--tta: the detector finds masks, and mmdet merges boxes alone: leave --tta off, or '
            'evaluate a detector without mask head.'
        )
    loader = config.test_dataloader
    if not config.get(MODEL):
        config[MODEL] = MERGING
        changes.append(Change(MODEL, None, 'boxes of all views, by NMS at IoU 0.5'))
    dataset, place = loader.dataset, 'test_dataloader.dataset'
    while dataset.get('dataset'):
        dataset, place = dataset.dataset, f'{place}.dataset'
    if config.get(PIPELINE):
        dataset.pipeline = config[PIPELINE]
    else:
        dataset.pipeline = _flipped(dataset, place)
        changes.append(Change(f'{place}.pipeline', None, 'each image and its mirror image'))
    config.model = {**config[MODEL], 'module': config.model}
    return Adapted(config, tuple(changes))


def _flipped(dataset: Mapping, place: str) -> list[Mapping]:
    """The data set's own pipeline with both views in the place of its last step."""
    pipeline = list(dataset.get('pipeline') or [])
    if not pipeline or 'Pack' not in str(pipeline[-1].get('type')):
        raise UserError(
            f'--tta: {place}.pipeline does not end in PackDetInputs: say in the config by '
            f'{PIPELINE} which views are looked at.'
        )
    return [*pipeline[:-1], FLIPS]
