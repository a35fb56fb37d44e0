"""A made-up study that has all that a report shows: both stages, curves, pictures, a failed run."""

import json
from hashlib import sha256

from rethink_det.report.environment import Environment
from rethink_det.report.results import StudyResults
from rethink_det.report.run_result import (
    FeatureMapWidths,
    Plan,
    Reference,
    RunResult,
    Transferred,
)
from rethink_det.report.training_facts import TrainingFacts
from tests.report.sheets import sheet

CLASSIFIERS = {
    'unpruned': (94.11, 94.29, 93.96),
    'fine-tune': (93.75, 93.56, 93.57),
    'scratch-e': (93.68, 93.42, 93.39),
    'scratch-b': (93.81, 93.87, 93.7),
    'lottery': (93.6, 93.5, 93.71),
}
DETECTORS = {
    'unpruned': (0.412, 0.409, 0.415),
    'prune-c': (0.388, 0.394, 0.391),
    'prune-d': (0.379, 0.384, 0.381),
    'scratch-e': (0.371, 0.376, 0.37),
    'scratch-b': (0.377, 0.379, 0.384),
    'random': (0.278, 0.271, 0.28),
}
PRUNER = {'type': 'L1NormPruner', 'ratios': [0.1, 0.6, 0.6, 0.4, 0.0], 'skip': [16, 18, 20]}
CLASSIFIER, DETECTOR = 'resnet34_imagenet-100/l1norm-a', 'mask-rcnn_r34_fpn_1x_coco/l1norm-a'
ENVIRONMENT = Environment(
    '2026-11-26T09:41:00+00:00',
    'rethink-det study detection/mask-rcnn_r34_l1norm --work-dir . --workers 2',
    'a1b2c3d4e5f6', 'NVIDIA H100 80GB HBM3, 16 cores, x86_64', '3.11.7',
    {'rethink-det': '0.1.0', 'torch': '2.15.0', 'torchvision': '0.30.0', 'mmdet': '3.3.0'},
)  # fmt: skip
FACTS = TrainingFacts(
    'CocoDataset', 'ab12', 117_266, 'cd34', 12, 2, 0.02, 'MultiStepLR(gamma=0.1)', 'SGD()', 1
)


def whole_study(folder):
    """Write it into a folder; returns its results."""
    runs = [_classifier(*one) for one in _each(CLASSIFIERS)]
    detectors = [_detector(*one) for one in _each(DETECTORS)]
    for run in detectors:
        _leave(folder / run.folder, 'curves.json', _curves(run.metrics['coco/bbox_mAP']))
        _leave(folder / run.folder, 'sheet.json', sheet(0.5 + run.seed / 8))
    for run in (*runs, *detectors):
        recipe = {'recipe': {'config': _config(run)}, 'version': 1}
        _leave(folder / run.folder, 'recipe.json', recipe)
    error = 'Traceback (most recent call last):\n' + '  File "x.py", line 1\n' * 9
    failed = RunResult(
        'detection', 'random', 3, {}, DETECTOR, 'failed', error=error + 'RuntimeError: ' + 'n' * 120
    )
    title = 'What a pruned ResNet-34 is worth in Mask R-CNN'
    description = 'Asked is whether the weights or the architecture carry over to detection.'
    results = StudyResults('detection/mask-rcnn_r34_l1norm', [*runs, *detectors, failed], title)
    results.description = description
    results.environment = ENVIRONMENT.texts
    results.write(folder)
    return results


def _each(arms):
    return [(arm, seed, v) for arm, values in arms.items() for seed, v in enumerate(values)]


def _leave(folder, name, content):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(content))


def _common(stage, arm, seed, model):
    big = arm == 'unpruned'
    return dict(
        stage=stage, arm=arm, seed=seed, model=model, params=21_800_000 if big else 19_400_000,
        macs=3.68e9 if big else 2.9e9, epochs=12.0, total_train_macs=1.2e17 * (1 if big else 1.6),
        folder=f'runs/{stage}/{arm}/seed{seed}',
        identity=sha256(f'{arm}{seed}'.encode()).hexdigest(),
        pruner=None if big else PRUNER, environment=ENVIRONMENT, test_images=5000,
        training=FACTS, plan=Plan('configs/net.py', {'train_cfg.max_epochs': 12}),
    )  # fmt: skip


def _classifier(arm, seed, value):
    return RunResult(
        **_common('classification', arm, seed, CLASSIFIER), metrics={'accuracy/top1': value},
        input_shape=(3, 224, 224), reference=Reference(73.31, 'arXiv 1810.05270, Table 2'),
    )  # fmt: skip


def _detector(arm, seed, ap):
    parts = dict(mAP=ap, mAP_50=ap + 0.2, mAP_75=ap, mAP_s=0.2, mAP_m=ap, mAP_l=ap + 0.1)
    metrics = {f'coco/{kind}_{key}': v for kind in ('bbox', 'segm') for key, v in parts.items()}
    stages = tuple(FeatureMapWidths(4 * 2**i, 64, 64, 300, 400) for i in range(4))
    return RunResult(
        **_common('detection', arm, seed, DETECTOR), metrics=metrics, input_shape=(3, 800, 1344),
        latency_ms=30.0 + len(arm) + seed / 4, latency_device='NVIDIA H100 80GB HBM3',
        peak_memory_mib=812.5, stages=stages, transferred=Transferred(180, 'ab12cd34ef56ab78'),
        input_origin='the first image of test_dataloader', macs_of='backbone',
    )  # fmt: skip


def _curves(ap):
    falling = [round(max(0.0, min(1.0, 1.2 * ap + 0.4 - (i / 100) ** 2)), 3) for i in range(101)]
    names = ('person', 'bicycle', 'car', 'traffic light', 'fire hydrant', 'potted plant')
    classes = [dict(name=name, AP=ap, AP50=ap, AP75=ap) for name in names]
    of = dict(precision={'0.50': falling, '0.50:0.95': falling}, classes=classes)
    return dict(bbox=of, segm=of)


def _config(run):
    tuned = run.arm == 'fine-tune'
    data = dict(type='CocoDataset', data_root='data/coco', ann_file='annotations/train2017.json')
    optimizer = dict(type='SGD', lr=0.001 if tuned else 0.02, momentum=0.9, weight_decay=0.0001)
    return dict(
        optim_wrapper=dict(type='OptimWrapper', optimizer=optimizer),
        param_scheduler=[] if tuned else [dict(type='MultiStepLR', milestones=[8, 11], gamma=0.1)],
        train_dataloader=dict(batch_size=2, dataset=data),
        test_dataloader=dict(batch_size=1, dataset=data),
    )
