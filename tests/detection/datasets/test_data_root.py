"""Any detector's config on any COCO folder: paths, class names and heads, and it trains."""

import json
import re

import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope

from rethink_det.architecture.checkpoint import load_checkpoint
from rethink_det.detection.datasets.check_data import check_data
from rethink_det.detection.datasets.data_root import with_data_root
from rethink_det.detection.datasets.loading import loads_masks
from rethink_det.errors import UserError
from rethink_det.training.config import find_config, load_config
from tests.detection.datasets.coco_layouts import CLASSES, write_layout

FASTER = 'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'
CASCADE = 'mmdet::cascade_rcnn/cascade-mask-rcnn_r50_fpn_1x_coco.py'
SPLITS = ('train', 'val', 'test')


@pytest.fixture(scope='module')
def coco(tmp_path_factory):
    return write_layout(tmp_path_factory.mktemp('coco'), 'coco')


@pytest.fixture(scope='module')
def roboflow(tmp_path_factory):
    return write_layout(tmp_path_factory.mktemp('roboflow'), 'roboflow')


def moved(name, root, **changes):
    """The config on the folder, and what is different in it, as text."""
    config = load_config(name)
    config.merge_from_dict(changes)
    adapted = with_data_root(config, root)
    return adapted.config, [str(change) for change in adapted.changes]


def leaf(dataset):
    return leaf(dataset.dataset) if 'dataset' in dataset else dataset


def test_a_file_of_another_order_goes_by_names(tmp_path):
    root = write_layout(tmp_path, 'coco')
    file = root / 'annotations/instances_val2017.json'
    content = json.loads(file.read_text())
    content['categories'].reverse()
    file.write_text(json.dumps(content))
    config, changes = moved(FASTER, root)
    types = [config[f'{split}_dataloader'].dataset.type for split in SPLITS]
    assert types == ['mmdet.CocoDataset', *2 * ['rethink_det.CocoDataset']]
    assert config.val_evaluator.type == config.test_evaluator.type == 'rethink_det.CocoMetric'
    assert 'rethink_det' in config.custom_imports['imports']
    assert sum('as its file has the classes in another order' in line for line in changes) == 2
    check_data(config)


def test_all_paths_point_into_the_folder_and_the_original_stays(roboflow):
    original = load_config(FASTER)
    before = original.pretty_text
    config, changes = moved(FASTER, roboflow)
    for split, folder, count in zip(SPLITS, ('train', 'valid', 'test'), (4, 2, 3), strict=True):
        dataset = config[f'{split}_dataloader'].dataset
        assert dataset.ann_file == f'{folder}/_annotations.coco.json'
        assert dataset.pipeline == original[f'{split}_dataloader'].dataset.pipeline
        with DefaultScope.overwrite_default_scope('mmdet'):
            built = DATASETS.build(dataset)
        assert built.metainfo['classes'] == CLASSES and len(built) == count
        labels = [
            one['bbox_label'] for n in range(count) for one in built.get_data_info(n)['instances']
        ]
        assert labels == [(n + place) % 3 for n in range(count) for place in range(2)]
    assert config.val_evaluator.ann_file == str(roboflow / 'valid/_annotations.coco.json')
    assert config.test_evaluator.ann_file == str(roboflow / 'test/_annotations.coco.json')
    usual = 'annotations/instances_val2017.json'
    assert changes[2:4] == [
        f'val_dataloader.dataset.ann_file: {usual} -> valid/_annotations.coco.json, in {roboflow}',
        'val_dataloader.dataset.metainfo.classes: none -> ship, tree, house',
    ]
    assert changes[-1] == 'model.roi_head.bbox_head.num_classes: 80 -> 3'
    assert with_data_root(original, roboflow).config is not original
    assert original.pretty_text == before


@pytest.mark.parametrize(
    'name, heads',
    [
        (FASTER, {'roi_head.bbox_head'}),
        (CASCADE, {'roi_head.mask_head', *(f'roi_head.bbox_head.{i}' for i in range(3))}),
        (
            'mmdet::htc/htc_r50_fpn_1x_coco.py',
            {f'roi_head.{h}_head.{i}' for h in ('bbox', 'mask') for i in range(3)},
        ),
        (
            'mmdet::point_rend/point-rend_r50-caffe_fpn_ms-1x_coco.py',
            {'roi_head.bbox_head', 'roi_head.mask_head', 'roi_head.point_head'},
        ),
        (
            'mmdet::ms_rcnn/ms-rcnn_r50-caffe_fpn_1x_coco.py',
            {'roi_head.bbox_head', 'roi_head.mask_head', 'roi_head.mask_iou_head'},
        ),
        ('mmdet::retinanet/retinanet_r50_fpn_1x_coco.py', {'bbox_head'}),
        (
            'mmdet::mask2former/mask2former_r50_8xb2-lsj-50e_coco.py',
            {'panoptic_head', 'panoptic_fusion_head'},
        ),
        ('mmdet::yolox/yolox_tiny_8xb8-300e_coco.py', {'bbox_head'}),
        (
            'mmdet::seesaw_loss/mask-rcnn_r50_fpn_seesaw-loss_random-ms-2x_lvis-v1.py',
            {'roi_head.bbox_head', 'roi_head.bbox_head.loss_cls', 'roi_head.mask_head'},
        ),
        ('detection/mask-rcnn_r18-w16_fpn_shapes.py', {'roi_head.bbox_head', 'roi_head.mask_head'}),
    ],
)
def test_every_head_gets_the_number_of_classes(name, heads, coco):
    name = find_config(name)
    config, _ = moved(name, coco)
    before, after = counts(load_config(name).model), counts(config.model)
    assert {place for place in after if after[place] != before[place]} == heads
    assert {after[place] for place in heads} == {3}
    for split in SPLITS:
        dataset = leaf(config[f'{split}_dataloader'].dataset)
        assert (dataset.type, dataset.data_root) == ('mmdet.CocoDataset', f'{coco}/')


def test_a_panoptic_config_is_refused(coco):
    with pytest.raises(UserError, match='num_stuff_classes is 53: the config is for panoptic'):
        moved('mmdet::maskformer/maskformer_r50_ms-16xb1-75e_coco.py', coco)


def counts(node, place=''):
    """Every number of classes in a model by its place."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    found = {}
    for key, part in items:
        if key in ('num_classes', 'num_things_classes'):
            found[place.strip('.')] = part
        elif isinstance(part, (dict, list, tuple)):
            found |= counts(part, f'{place}.{key}')
    return found


def test_data_sets_inside_wrappers_are_set_and_joined_ones_become_one(coco):
    config, _ = moved('mmdet::pascal_voc/retinanet_r50_fpn_1x_voc0712.py', coco)
    outer = config.train_dataloader.dataset
    assert (outer.type, outer.times) == ('RepeatDataset', 3)
    assert outer.dataset.data_prefix == {'img': 'train2017/'}
    with DefaultScope.overwrite_default_scope('mmdet'):
        assert len(DATASETS.build(outer)) == 3 * 4
    assert config.val_evaluator.type == 'VOCMetric' and 'ann_file' not in config.val_evaluator


def test_several_evaluators_and_none(coco):
    judge = dict(type='CocoMetric', ann_file='elsewhere.json')
    changes = dict(val_evaluator=[judge, dict(type='VOCMetric')], test_evaluator=None)
    config = load_config(FASTER)
    config.update(changes, test_dataloader=None)
    config = with_data_root(config, coco).config
    first, second = config.val_evaluator
    assert first.ann_file == str(coco / 'annotations/instances_val2017.json')
    assert second == dict(type='VOCMetric')
    assert config.test_evaluator is None and config.test_dataloader is None


SMALL = (
    'model.backbone.depth=18', 'model.backbone.init_cfg=None',
    'model.neck.in_channels=[64,128,256,512]', 'model.train_cfg.rpn_proposal.max_per_img=50',
    'model.test_cfg.rpn.max_per_img=20',
    'model.test_cfg.rcnn.max_per_img=10', 'model.test_cfg.rcnn.score_thr=0.0',
    'train_cfg.max_epochs=1', 'val_dataloader.persistent_workers=False',
    'train_dataloader.persistent_workers=False', 'test_dataloader.persistent_workers=False',
)  # fmt: skip
SCALES = [
    f'{split}_dataloader.{key}'
    for split, place in zip(SPLITS, (2, 1, 1), strict=True)
    for key in ('num_workers=0', f'dataset.pipeline.{place}.scale=(96,64)')
]


@pytest.mark.parametrize(
    'base, options, masks',
    [
        (FASTER, ['roi_head.bbox_head.fc_out_channels=16'], False),
        (
            CASCADE,
            [
                f'{key}=16'
                for stage in range(3)
                for key in (
                    f'roi_head.bbox_head.{stage}.fc_out_channels',
                    f'train_cfg.rcnn.{stage}.sampler.num',
                )
            ],
            True,
        ),
    ],
    ids=['faster', 'cascade mask'],
)
def test_two_steps_and_an_evaluation_by_class(base, options, masks, coco, command, tmp_path):
    file = tmp_path / 'mine.py'
    judge = "dict(type='rethink_det.CocoMetric', classwise=True)"
    file.write_text(
        f"_base_ = '{base}'\ncustom_imports = dict(imports=['rethink_det'])\n"
        f'val_evaluator = {judge}\ntest_evaluator = {judge}\n'
    )
    options = [*SMALL, *SCALES, *(f'model.{option}' for option in options)]
    place = ('--data-root', coco, '--work-dir', tmp_path / 'work', '--cfg-options', *options)
    done = command('train', file, *place)
    assert done.status == 0, done
    saved = load_checkpoint(tmp_path / 'work/epoch_1.pth')
    assert saved['meta']['iter'] == 2 and saved['meta']['dataset_meta']['classes'] == CLASSES
    scores = [t for n, t in saved['state_dict'].items() if n.endswith('fc_cls.weight')]
    assert [len(t) for t in scores] == [4] * (3 if masks else 1)
    logits = [t for n, t in saved['state_dict'].items() if n.endswith('conv_logits.weight')]
    assert [len(t) for t in logits] == ([3] * 3 if masks else [])
    outputs = [done.out]
    if not masks:
        outputs.append(command('test', file, tmp_path / 'work/epoch_1.pth', *place).out)
    for out in outputs:
        for name in CLASSES:
            assert re.search(rf'^coco/{name}_precision: [\d.]+$', out, re.MULTILINE), out
        assert ('coco/segm_mAP:' in out) == masks
    resolved = Config.fromfile(tmp_path / 'work/mine.py')
    assert resolved.train_dataloader.dataset.data_root == f'{coco}/'


def test_the_command_line_refuses_a_folder_without_annotations(command, tmp_path):
    done = command('train', FASTER, '--data-root', tmp_path)
    assert done.status == 2
    assert 'has no annotations of train; looked for annotations/instances_train' in done.err


def test_a_classifier_has_no_such_data(tmp_path):
    config = load_config(find_config('classification/resnet18-w16_shapes.py'))
    with pytest.raises(UserError, match='no detector that --data-root knows'):
        with_data_root(config, tmp_path)


def test_a_number_of_classes_that_does_not_fit_cannot_remain(coco, tmp_path):
    # What the heads are told is what the files hold, also where the config was for as many.
    root = write_layout(tmp_path, 'coco')
    for file in (root / 'annotations').iterdir():
        content = json.loads(file.read_text())
        content['categories'].append(dict(id=11, name='boat'))
        file.write_text(json.dumps(content))
    config, changes = moved(FASTER, root)
    assert config.model.roi_head.bbox_head.num_classes == 4
    assert 'test_dataloader.dataset.metainfo.classes: none -> ship, tree, house, boat' in changes
    assert moved(FASTER, root)[1] == changes


def without_masks(root):
    for file in (root / 'annotations').iterdir():
        content = json.loads(file.read_text())
        for one in content['annotations']:
            one['segmentation'] = []
        file.write_text(json.dumps(content))


def test_where_there_are_boxes_alone_no_masks_are_loaded(tmp_path):
    root = write_layout(tmp_path, 'coco')
    name = find_config('detection/faster-rcnn_r18-w16_fpn_shapes.py')
    config, changes = moved(name, root)
    assert not any('with_mask' in change for change in changes)
    without_masks(root)
    config, changes = moved(name, root)
    assert 'train_dataloader.dataset.pipeline.LoadAnnotations.with_mask: True -> False' in changes
    assert not any(loads_masks(config[f'{split}_dataloader'].dataset) for split in SPLITS)
    assert check_data(config) is not None
    config, _ = moved(find_config('detection/mask-rcnn_r18-w16_fpn_shapes.py'), root)
    with pytest.raises(UserError, match='8 of 8 objects have no segmentation'):
        check_data(config)
