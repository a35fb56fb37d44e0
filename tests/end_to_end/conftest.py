"""A whole study in miniature: its configs, and a way to run commands in this process."""

from pathlib import Path

import pytest
import torch

from rethink_det.datasets.shapes import build_shapes

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'

LOADER = """
_base_ = {base!r}
train_dataloader = dict(
    batch_size={batch}, dataset=dict(data_root={root!r}, crops=(160, 40), images=(8, 4))
)
val_dataloader = dict(dataset=dict(data_root={root!r}, crops=(160, 40), images=(8, 4)))
test_dataloader = dict(dataset=dict(data_root={root!r}, crops=(160, 40), images=(8, 4)))
train_cfg = dict(max_epochs={epochs}, val_interval={epochs})
"""
CLASSIFIER = """
param_scheduler = [dict(type='MultiStepLR', milestones=[1], gamma=0.1)]
model = dict(backbone=dict(base_channels=8))
"""
DETECTOR = """
model = dict(
    backbone=dict(base_channels=8),
    neck=dict(in_channels=[8, 16, 32, 64], out_channels=16),
    rpn_head=dict(in_channels=16, feat_channels=16),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=16),
        bbox_head=dict(in_channels=16, fc_out_channels=32),
    ),
)
default_hooks = dict(checkpoint=dict(interval=1, max_keep_ckpts=3))
randomness = dict(seed=0)
val_evaluator = dict(ann_file={ann_file!r})
test_evaluator = dict(ann_file={ann_file!r})
"""
STUDY = """
study = dict(
    title='A study in miniature',
    seeds=[0, 1],
    classification=dict(
        config='classifier.py',
        pruner=dict(type='L1NormPruner', ratios=0.5),
        arms=['unpruned', 'fine-tune', 'scratch-b'],
        arm_settings=dict(fine_tune_epochs=1, fine_tune_lr=0.01, scratch_b_cap=2),
    ),
    detection=[dict(config='detector.py', arms=['prune-c', 'random'], seeds=[0])],
)
"""


@pytest.fixture(scope='session', autouse=True)
def one_thread():
    """Sums in floating point depend on the number of threads; digests must not."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope='session')
def shapes_root(tmp_path_factory):
    """A shapes folder of 160 crops and 8 images."""
    root = tmp_path_factory.mktemp('data') / 'shapes'
    return build_shapes(root, crops=(160, 40), images=(8, 4))


@pytest.fixture(scope='session')
def write_configs(shapes_root):
    """Writes ``classifier.py``, ``detector.py`` and ``study.py`` into a folder."""

    def write(folder, classifier_epochs=2, detector_epochs=1) -> Path:
        def loader(base, batch, epochs):
            return LOADER.format(
                base=str(CONFIGS / base), root=str(shapes_root), batch=batch, epochs=epochs
            )

        classifier = loader('classification/resnet18-w16_shapes.py', 32, classifier_epochs)
        (folder / 'classifier.py').write_text(classifier + CLASSIFIER)
        detector = loader('detection/faster-rcnn_r18-w16_fpn_shapes.py', 4, detector_epochs)
        annotations = str(shapes_root / 'annotations' / 'instances_val.json')
        (folder / 'detector.py').write_text(detector + DETECTOR.format(ann_file=annotations))
        (folder / 'study.py').write_text(STUDY)
        return folder

    return write
