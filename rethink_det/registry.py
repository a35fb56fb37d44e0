"""Registries: children of MMEngine's with scope ``rethink_det``, plus PRUNERS.

``locations`` are imported at the first look-up, which keeps ``import rethink_det``
quick and free of mmdet: write ``custom_imports = dict(imports=['rethink_det'])`` in a
config and ``type='rethink_det.X'`` wherever an object of this package is meant.
"""

from importlib.util import find_spec

from mmengine.registry import DATA_SAMPLERS as MMENGINE_DATA_SAMPLERS
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import FUNCTIONS as MMENGINE_FUNCTIONS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import LOOPS as MMENGINE_LOOPS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPERS as MMENGINE_OPTIM_WRAPPERS
from mmengine.registry import Registry

SCOPE = 'rethink_det'
"""In front of the names of types, ``rethink_det.L1NormPruner``."""
_OF_MMSEG = ['rethink_det.segmentation.datasets.shapes'] if find_spec('mmseg') else []

MODELS = Registry(
    'model',
    parent=MMENGINE_MODELS,
    scope=SCOPE,
    locations=[
        'rethink_det.architecture',
        'rethink_det.classification',
        'rethink_det.detection.transfer.shared_head',
        'rethink_det.detection.ssd_head',
    ],
)
"""Backbones, heads, classifiers."""
DATASETS = Registry(
    'dataset',
    parent=MMENGINE_DATASETS,
    scope=SCOPE,
    locations=[
        'rethink_det.datasets',
        'rethink_det.detection.datasets.coco_dataset',
        'rethink_det.detection.datasets.shapes',
        *_OF_MMSEG,
    ],
)
"""Data sets."""
DATA_SAMPLERS = Registry(
    'data sampler',
    parent=MMENGINE_DATA_SAMPLERS,
    scope=SCOPE,
    locations=['rethink_det.datasets'],
)
"""Orders of images."""
METRICS = Registry(
    'metric',
    parent=MMENGINE_METRICS,
    scope=SCOPE,
    locations=[
        'rethink_det.classification',
        'rethink_det.detection.evaluation.coco_metric',
        'rethink_det.detection.evaluation.voc_metric',
        'rethink_det.segmentation.mean_iou',
    ],
)
"""What is evaluated."""
FUNCTIONS = Registry(
    'function',
    parent=MMENGINE_FUNCTIONS,
    scope=SCOPE,
    locations=['rethink_det.datasets', 'rethink_det.training.workers'],
)
"""How images become batches, and how loader processes start."""
HOOKS = Registry(
    'hook',
    parent=MMENGINE_HOOKS,
    scope=SCOPE,
    locations=['rethink_det.training', 'rethink_det.detection.evaluation.curves_hook'],
)
"""What acts during training."""
LOOPS = Registry('loop', parent=MMENGINE_LOOPS, scope=SCOPE, locations=['rethink_det.training'])
"""How an epoch goes."""
OPTIM_WRAPPERS = Registry(
    'optimizer wrapper',
    parent=MMENGINE_OPTIM_WRAPPERS,
    scope=SCOPE,
    locations=['rethink_det.training.bfloat16'],
)
"""In which precision a step is computed."""
PRUNERS = Registry('pruner', scope=SCOPE, locations=['rethink_det.pruning'])
"""How an architecture is found."""

REGISTRIES = (
    MODELS, DATASETS, DATA_SAMPLERS, METRICS, FUNCTIONS, HOOKS, LOOPS, OPTIM_WRAPPERS, PRUNERS
)  # fmt: skip
"""All of them."""
