"""CocoMetric: the faster backend gives pycocotools' numbers, nothing found is 0 not missing."""

import gc
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from pycocotools import mask as mask_tools
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from rethink_det.detection.evaluation.coco_api import FasterCocoApi
from rethink_det.detection.evaluation.coco_metric import CocoMetric, mmdet_module
from rethink_det.detection.evaluation.detections import table_of_rows
from rethink_det.detection.evaluation.hotcoco_eval import HotCocoEval
from rethink_det.errors import UserError
from rethink_det.registry import METRICS

# pycocotools 2.0.11 decoding masks on numpy 2.
pytestmark = pytest.mark.filterwarnings('ignore:__array__ implementation:DeprecationWarning')

SIX = ['mAP', 'mAP_50', 'mAP_75', 'mAP_s', 'mAP_m', 'mAP_l']
WIDTH, HEIGHT, CLASSES = 240, 200, ('cat', 'dog', 'fish')
BACKENDS = ['faster', 'pycocotools']


def encode(mask):
    """RLE, as text, of a mask of zeros and ones (height, width)."""
    rle = mask_tools.encode(np.asfortranarray(mask, np.uint8))
    return {'size': rle['size'], 'counts': rle['counts'].decode()}


def rectangle(box, height=HEIGHT, width=WIDTH):
    """RLE of the pixels in a box x, y, w, h."""
    mask = np.zeros((height, width))
    x, y, w, h = (round(float(value)) for value in box)
    mask[max(y, 0) : max(y, 0) + max(h, 1), max(x, 0) : max(x, 0) + max(w, 1)] = 1
    return encode(mask)


def random_annotations(rng, images=12):
    """COCO ground truth with small, medium, large and crowd objects; an image without any."""
    annotations = []
    for image in range(1, images):
        for _ in range(rng.integers(1, 7)):
            w, h = rng.choice([12, 60, 130], 2) * rng.uniform(0.7, 1.3, 2)
            x, y = rng.uniform(0, WIDTH - w), rng.uniform(0, HEIGHT - h)
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=image,
                    category_id=int(rng.choice([3, 7, 8])),
                    bbox=[x, y, w, h],
                    area=float(w * h),
                    iscrowd=int(rng.random() < 0.15),
                    segmentation=rectangle((x, y, w, h)),
                )
            )
    return dict(
        images=[dict(id=i, width=WIDTH, height=HEIGHT, file_name='') for i in range(images)],
        categories=[dict(id=i, name=n) for i, n in zip([3, 7, 8], CLASSES, strict=True)],
        annotations=annotations,
    )


def noisy_predictions(truth, rng, api=None):
    """Samples with objects moved a little, some missed, some doubled, some invented.

    Every fifth image gets none. Masks are rectangles or, with ``api``, the moved masks of
    the ground truth.
    """
    label = {category['id']: i for i, category in enumerate(truth['categories'])}
    found = {image['id']: [] for image in truth['images']}
    size = {image['id']: (image['height'], image['width']) for image in truth['images']}
    for n, image in enumerate(found):
        if n % 5 == 4:
            continue
        for ann in (a for a in truth['annotations'] if a['image_id'] == image):
            for _ in range(rng.choice([0, 1, 1, 2])):
                box = np.array(ann['bbox']) + rng.normal(0, 0.06, 4) * np.tile(ann['bbox'][2:], 2)
                box[2:] = box[2:].clip(1)
                moved = (box[:2] - ann['bbox'][:2]).round().astype(int)
                mask = (
                    encode(np.roll(api.annToMask(ann), moved[::-1], (0, 1)))
                    if api
                    else rectangle(box, *size[image])
                )
                found[image].append((box, label[ann['category_id']], mask))
        for _ in range(rng.integers(0, 3)):
            box = rng.uniform(5, 90, 4)
            found[image].append((box, rng.integers(len(label)), rectangle(box, *size[image])))
    samples = []
    for image, objects in found.items():
        xywh = np.array([box for box, _, _ in objects]).reshape(-1, 4)
        pred = dict(
            bboxes=torch.tensor(np.hstack((xywh[:, :2], xywh[:, :2] + xywh[:, 2:]))),
            # Few digits, so that some scores are equal.
            scores=torch.tensor(rng.uniform(0, 1, len(objects)).round(2)),
            labels=torch.tensor([n for _, n, _ in objects], dtype=torch.long),
            masks=[mask for _, _, mask in objects],
        )
        samples.append(dict(img_id=image, ori_shape=size[image], pred_instances=pred))
    return samples


def emptied(samples):
    """The same images with nothing predicted."""
    nothing = dict(bboxes=torch.zeros(0, 4), scores=torch.zeros(0), labels=torch.zeros(0).long())
    return [{**s, 'pred_instances': {**nothing, 'masks': []}} for s in samples]


def evaluate(ann_file, truth, samples, **options):
    """The metric as a runner uses it: built from the registry, fed in batches, evaluated."""
    metric = METRICS.build(
        dict(type='rethink_det.CocoMetric', ann_file=str(ann_file), metric=['bbox', 'segm'])
        | options
    )
    metric.dataset_meta = dict(classes=[category['name'] for category in truth['categories']])
    for start in range(0, len(samples), 4):
        metric.process({}, samples[start : start + 4])
    return metric.evaluate(len(samples))


def raw_stats(evaluator, ann_file, truth, samples, kind, max_dets=(100, 300, 1000)):
    """The twelve COCO numbers, unrounded, straight from an evaluator class."""
    category = [c['id'] for c in truth['categories']]
    results = []
    for sample in samples:
        pred = sample['pred_instances']
        for i, (x1, y1, x2, y2) in enumerate(pred['bboxes'].tolist()):
            shape = (
                dict(bbox=[x1, y1, x2 - x1, y2 - y1])
                if kind == 'bbox'
                else dict(segmentation=pred['masks'][i])
            )
            results.append(
                dict(
                    image_id=sample['img_id'],
                    category_id=category[int(pred['labels'][i])],
                    score=float(pred['scores'][i]),
                    **shape,
                )
            )
    if evaluator is HotCocoEval:
        api = FasterCocoApi(str(ann_file))
        key = 'bbox' if kind == 'bbox' else 'segmentation'
        found = api.loadRes([table_of_rows(results, key)])
    else:
        api = COCO(str(ann_file))
        found = api.loadRes(results)
    evaluation = evaluator(api, found, kind)
    evaluation.params.maxDets = list(max_dets)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return np.array(evaluation.stats)


@pytest.fixture
def random_case(tmp_path, request):
    rng = np.random.default_rng(getattr(request, 'param', 0))
    truth = random_annotations(rng)
    path = tmp_path / 'annotations.json'
    path.write_text(json.dumps(truth))
    return path, truth, noisy_predictions(truth, rng)


@pytest.fixture(scope='module')
def real_case():
    shared = os.environ.get('RETHINK_DET_SHARED') or Path(__file__).resolve().parents[4] / 'shared'
    path = Path(shared) / 'data/tiny_coco/annotations/instances_val2017.json'
    if not path.exists():
        pytest.skip('tiny COCO annotations not found; RETHINK_DET_SHARED names their folder')
    truth = json.loads(path.read_text())
    return path, truth, noisy_predictions(truth, np.random.default_rng(0), COCO(str(path)))


@pytest.mark.parametrize('random_case', range(8), indirect=True)
@pytest.mark.parametrize('kind', ['bbox', 'segm'])
def test_unrounded_numbers_equal_pycocotools(random_case, kind):
    theirs = raw_stats(COCOeval, *random_case, kind)
    ours = raw_stats(HotCocoEval, *random_case, kind)
    np.testing.assert_array_equal(ours, theirs)
    assert (theirs[:6] > 0).all()  # every area range took part


@pytest.mark.parametrize('kind', ['bbox', 'segm'])
def test_unrounded_numbers_equal_pycocotools_on_coco(real_case, kind):
    theirs = raw_stats(COCOeval, *real_case, kind)
    np.testing.assert_array_equal(raw_stats(HotCocoEval, *real_case, kind), theirs)
    assert 0.2 < theirs[0] < 1


def test_more_than_100_detections_of_a_class(random_case):
    # Evaluators part here that count the largest number: the mAP counts 100.
    path, truth, samples = random_case
    flood = []
    for sample in samples:
        pred = sample['pred_instances']
        names = ('bboxes', 'labels', 'scores')
        worse = {name: pred[name][:1].repeat_interleave(150, 0) for name in names}
        worse['scores'].fill_(1)
        both = {name: torch.cat((worse[name], pred[name])) for name in names}
        flood.append({**sample, 'pred_instances': both})
    theirs = raw_stats(COCOeval, path, truth, flood, 'bbox')
    np.testing.assert_array_equal(raw_stats(HotCocoEval, path, truth, flood, 'bbox'), theirs)
    assert theirs[6] < theirs[7]  # recall at 100 and at 300: the case is one


def test_metric_is_the_same_with_both_backends(random_case):
    results = [evaluate(*random_case, classwise=True, backend=name) for name in BACKENDS]
    assert results[0] == results[1]
    names = {f'coco/{kind}_{name}' for kind in ('bbox', 'segm') for name in SIX}
    prefixes = ('', 'bbox_', 'segm_')
    by_class = {f'coco/{prefix}{name}_precision' for name in CLASSES for prefix in prefixes}
    assert results[0].keys() == names | by_class
    assert min(results[0].values()) > 0


def test_metric_is_the_same_with_both_backends_on_coco(real_case):
    results = [evaluate(*real_case, backend=name) for name in BACKENDS]
    assert results[0] == results[1]


def test_perfect_predictions_have_ap_1(random_case):
    path, truth, samples = random_case
    for ann in truth['annotations']:
        ann['iscrowd'] = 0
    path.write_text(json.dumps(truth))
    for sample in samples:
        mine = [a for a in truth['annotations'] if a['image_id'] == sample['img_id']]
        box = torch.tensor([a['bbox'] for a in mine]).reshape(-1, 4)
        sample['pred_instances'] = dict(
            bboxes=torch.cat((box[:, :2], box[:, :2] + box[:, 2:]), 1),
            scores=torch.ones(len(mine)),
            labels=torch.tensor([[3, 7, 8].index(a['category_id']) for a in mine]),
            masks=[a['segmentation'] for a in mine],
        )
    assert set(evaluate(path, truth, samples).values()) == {1.0}


def test_evaluates_again_as_a_runner_does_every_epoch(random_case):
    path, truth, samples = random_case
    metric = CocoMetric(ann_file=str(path), metric=['bbox', 'segm'])
    metric.dataset_meta = dict(classes=CLASSES)
    results = []
    for found in (samples, emptied(samples), samples):
        metric.process({}, found)
        results.append(metric.evaluate(len(found)))
    assert results[0] == results[2] != results[1]


def test_ground_truth_from_the_samples(random_case):
    _, truth, samples = random_case
    for sample in samples:
        sample['instances'] = [
            dict(
                bbox=[*a['bbox'][:2], a['bbox'][0] + a['bbox'][2], a['bbox'][1] + a['bbox'][3]],
                bbox_label=[3, 7, 8].index(a['category_id']),
                ignore_flag=a['iscrowd'],
                mask=a['segmentation'],
            )
            for a in truth['annotations']
            if a['image_id'] == sample['img_id']
        ]
    for found in (samples, emptied(samples)):
        results = []
        for backend in BACKENDS:
            metric = CocoMetric(metric=['bbox', 'segm'], backend=backend)
            metric.dataset_meta = dict(classes=CLASSES)
            metric.process({}, found)
            results.append(metric.evaluate(len(found)))
        assert results[0] == results[1]
        assert len(results[0]) == 12


@pytest.mark.parametrize('backend', BACKENDS)
def test_nothing_predicted_is_zero_not_missing(random_case, backend):
    path, truth, samples = random_case
    result = evaluate(path, truth, emptied(samples), backend=backend, classwise=True)
    assert result.keys() == evaluate(*random_case, backend=backend, classwise=True).keys()
    assert set(result.values()) == {0.0}


@pytest.mark.parametrize('backend', BACKENDS)
def test_no_proposals_have_recall_zero(random_case, backend):
    path, truth, samples = random_case
    result = evaluate(path, truth, emptied(samples), metric='proposal', backend=backend)
    assert set(result.values()) == {0.0}
    assert 'coco/AR@100' in result


def test_a_size_without_objects_stays_minus_one(random_case):
    path, truth, samples = random_case
    truth['annotations'] = [a for a in truth['annotations'] if a['area'] >= 32**2]
    path.write_text(json.dumps(truth))
    for found in (samples, emptied(samples)):
        assert evaluate(path, truth, found)['coco/bbox_mAP_s'] == -1


def test_mmdet_is_left_as_it_was(random_case):
    before = vars(mmdet_module).copy()
    evaluate(*random_case)
    with pytest.raises(FileNotFoundError):
        CocoMetric(ann_file='absent.json')
    assert vars(mmdet_module) == before
    assert gc.isenabled()


def test_unknown_backend_is_refused():
    with pytest.raises(UserError, match="unknown backend 'slow'; valid: faster, pycocotools"):
        CocoMetric(backend='slow')


@pytest.mark.parametrize('backend', BACKENDS)
def test_mp_eval_is_mmdets(backend):
    with pytest.raises(UserError, match="use_mp_eval=True.* or set type='mmdet.CocoMetric'"):
        CocoMetric(use_mp_eval=True, backend=backend)


def test_unknown_metric_is_refused():
    with pytest.raises(KeyError, match='mAP'):
        CocoMetric(metric='mAP')


def test_segm_without_masks_is_refused(random_case):
    path, truth, samples = random_case
    for sample in samples:
        del sample['pred_instances']['masks']
    with pytest.raises(KeyError, match='segm is not in results'):
        evaluate(path, truth, samples)


@pytest.mark.parametrize('backend', BACKENDS)
def test_predictions_for_a_foreign_image_are_refused(random_case, backend):
    path, truth, samples = random_case
    samples[1]['img_id'] = 999
    with pytest.raises(UserError, match='for image 999, which is not in the annotations'):
        evaluate(path, truth, samples, backend=backend)


@pytest.mark.parametrize(
    'options, names',
    [
        (dict(metric_items=['mAP', 'AR@1000']), {'bbox_mAP', 'bbox_AR@1000', 'segm_mAP'}),
        (dict(proposal_nums=(1, 10, 100), metric_items=['AR@100', 'AR_s@1000']), {'bbox_AR@100'}),
        (dict(iou_thrs=np.array([0.5, 0.75])), {'bbox_mAP', 'segm_mAP_75'}),
        (dict(metric=['proposal', 'bbox']), {'AR@100', 'AR_s@1000', 'bbox_mAP'}),
        (dict(prefix='mine', sort_categories=True), set()),
    ],
    ids=lambda value: ' '.join(value) if isinstance(value, dict) else '',
)
def test_options_of_mmdet_mean_the_same(random_case, options, names):
    results = [evaluate(*random_case, backend=name, **options) for name in BACKENDS]
    assert results[0] == results[1]
    prefix = options.get('prefix', 'coco')
    assert {f'{prefix}/{name}' for name in names} <= results[0].keys()


def test_files_are_written_where_they_are_asked_for(random_case, tmp_path):
    written = {}
    for backend in BACKENDS:
        prefix = tmp_path / backend
        result = evaluate(*random_case, backend=backend, outfile_prefix=str(prefix))
        assert result == evaluate(*random_case)
        written[backend] = [
            json.loads(Path(f'{prefix}.{kind}.json').read_text()) for kind in ('bbox', 'segm')
        ]
    assert written['faster'] == written['pycocotools']
    assert all(len(part) > 20 for part in written['faster'])


def test_only_files_if_nothing_else_is_wanted(random_case, tmp_path):
    prefix = tmp_path / 'found'
    assert evaluate(*random_case, format_only=True, outfile_prefix=str(prefix)) == {}
    assert json.loads(Path(f'{prefix}.bbox.json').read_text())


def test_nothing_is_written_otherwise(random_case, tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError('a file of predictions')

    monkeypatch.setattr(mmdet_module, 'dump', refuse)
    evaluate(*random_case)
    with pytest.raises(AssertionError, match='a file of predictions'):
        evaluate(*random_case, backend='pycocotools')


def test_masks_as_tensors_are_those_as_rle(random_case):
    path, truth, samples = random_case
    expected = evaluate(path, truth, samples)
    for sample in samples:
        pred = sample['pred_instances']
        pixels = [mask_tools.decode(mask) for mask in pred['masks']]
        empty = np.zeros((0, HEIGHT, WIDTH), np.uint8)
        pred['masks'] = torch.from_numpy(np.stack(pixels) if pixels else empty).bool()
    for backend in BACKENDS:
        assert evaluate(path, truth, samples, backend=backend) == expected


def test_masks_may_have_scores_of_their_own(random_case):
    path, truth, samples = random_case
    rng = np.random.default_rng(5)
    before = evaluate(path, truth, samples)
    for sample in samples:
        pred = sample['pred_instances']
        pred['mask_scores'] = torch.from_numpy(rng.random(len(pred['scores'])))
    results = [evaluate(path, truth, samples, backend=name) for name in BACKENDS]
    assert results[0] == results[1]
    assert results[0]['coco/bbox_mAP'] == before['coco/bbox_mAP']
    assert results[0]['coco/segm_mAP'] != before['coco/segm_mAP']


def judged(tmp_path, truth, samples, keep=True, backend='faster', kinds=('bbox', 'segm')):
    """The metric after an evaluation that it was, or was not, to remember."""
    file = tmp_path / 'truth.json'
    file.write_text(json.dumps(truth))
    metric = CocoMetric(ann_file=str(file), metric=list(kinds), backend=backend)
    metric.dataset_meta = dict(classes=[category['name'] for category in truth['categories']])
    metric.keep_images = keep
    metric.process({}, samples)
    return metric, metric.evaluate(len(samples))


@pytest.fixture
def case():
    truth = random_annotations(np.random.default_rng(3))
    return truth, noisy_predictions(truth, np.random.default_rng(4))


def test_replicates_scatter_around_the_metric_and_both_backends_agree(tmp_path, case):
    metric, values = judged(tmp_path, *case)
    found = metric.image_replicates()
    assert found.test_images == 12
    assert set(found.replicates) == {'coco/bbox_mAP', 'coco/segm_mAP'}
    for name, replicates in found.replicates.items():
        assert len(replicates) == 1000 and len(set(replicates)) > 100
        assert abs(np.mean(replicates) - values[name]) < np.std(replicates)
    slow, _ = judged(tmp_path, *case, backend='pycocotools')
    other = slow.image_replicates()
    assert other.test_digest == found.test_digest
    for name in found.replicates:
        np.testing.assert_allclose(other.replicates[name], found.replicates[name], atol=2e-6)


def test_the_order_of_the_images_does_not_matter_to_replicates(tmp_path, case):
    truth, samples = case
    found = judged(tmp_path, truth, samples)[0].image_replicates()
    assert judged(tmp_path, truth, samples[::-1])[0].image_replicates() == found
    assert judged(tmp_path, truth, samples, kinds=['bbox'])[0].image_replicates().replicates == {
        'coco/bbox_mAP': found.replicates['coco/bbox_mAP']
    }


@pytest.mark.parametrize(
    'change',
    [
        lambda truth: truth['annotations'][0].update(area=1.0),
        lambda truth: truth['annotations'][0].update(category_id=8),
        lambda truth: truth['annotations'][0].update(iscrowd=1),
        lambda truth: truth['annotations'].pop(),
        lambda truth: truth['images'][0].update(file_name='other'),
        lambda truth: truth['images'][0].update(width=WIDTH + 1),
        lambda truth: truth['categories'][0].update(name='lion'),
    ],
)
def test_other_annotations_are_another_test_set(tmp_path, case, change):
    truth, samples = case
    truth['annotations'][0].update(category_id=3, iscrowd=0)
    before = judged(tmp_path, truth, samples)[0].image_replicates().test_digest
    change(truth)
    assert judged(tmp_path, truth, samples)[0].image_replicates().test_digest != before


def test_what_was_not_to_be_remembered_has_no_replicates(tmp_path, case):
    metric, values = judged(tmp_path, *case, keep=False)
    with pytest.raises(UserError, match='has not kept what it evaluated'):
        metric.image_replicates()
    assert values == judged(tmp_path, *case)[1]


def test_proposals_have_no_replicates(tmp_path, case):
    metric, _ = judged(tmp_path, *case, kinds=['proposal'])
    with pytest.raises(UserError, match='or has no AP'):
        metric.image_replicates()


@pytest.mark.parametrize('backend', BACKENDS)
def test_images_that_were_not_run_do_not_count_as_missed(random_case, backend, caplog):
    file, truth, samples = random_case
    whole = evaluate(file, truth, samples[:5], backend=backend)
    content = json.loads(file.read_text())
    part = {image['id'] for image in content['images'][:5]}
    content['images'] = content['images'][:5]
    content['annotations'] = [one for one in content['annotations'] if one['image_id'] in part]
    file.with_name('part.json').write_text(json.dumps(content))
    assert whole == evaluate(file.with_name('part.json'), truth, samples[:5], backend=backend)


@pytest.mark.parametrize('backend', BACKENDS)
def test_what_has_no_iscrowd_is_no_crowd(random_case, backend):
    file, truth, samples = random_case
    content = json.loads(file.read_text())
    for one in content['annotations']:
        one['iscrowd'] = 0
    file.write_text(json.dumps(content))
    expected = evaluate(file, truth, samples, backend=backend)
    for one in content['annotations']:
        del one['iscrowd']
    file.write_text(json.dumps(content))
    assert evaluate(file, truth, samples, backend=backend) == expected
