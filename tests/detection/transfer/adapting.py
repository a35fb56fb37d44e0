"""Adapting a config as the command line does it."""

from pathlib import Path

from mmengine.registry import MODELS, DefaultScope

from rethink_det.arms import ARMS, DETECTION, Start
from rethink_det.detection import transfer_config
from rethink_det.training.config import load_config

CONFIGS = Path(__file__).resolve().parents[3] / 'configs' / 'detection'


CLASSIFIERS = [arm.name for arm in ARMS.of(DETECTION) if arm.start is Start.CLASSIFIER]


def build(config):
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MODELS.build(config.model).eval()


def adapted(config, arm, shape, **options):
    """As the command line does it: one file for the shape and the weights."""
    weights = options.pop('weights', shape)
    return transfer_config(config, ARMS.get(DETECTION, arm), shape, weights, **options)


def adapt(*arguments, **options):
    """The config alone."""
    return adapted(*arguments, **options).config


def mmdet_config(name):
    return load_config(f'mmdet::{name}')


HALF = [128, 256, 512, 1024]
