"""Looking at a model's parts before training starts: do they fit together?"""

from collections.abc import Mapping, Sequence
from functools import partial

from mmengine.config import Config

from rethink_det.architecture.network import build_backbone, without_memory
from rethink_det.detection.transfer.narrowed_neck import NARROWED
from rethink_det.detection.wrapped import detector_of, has_detector
from rethink_det.errors import UserError
from rethink_det.registered import build, is_type, scope_of
from rethink_det.registry import HOOKS, MODELS
from rethink_det.training.building import telling_what_is_built
from rethink_det.training.hooks import TransferHook
from rethink_det.transfer.feature_maps import feature_maps
from rethink_det.transfer.readers import parts

_INITIALIZERS = ('init_cfg', 'pretrained')


def check_model(config: Config) -> None:
    """Refuse a model whose backbone, neck and transferred weights do not fit together.

    MMEngine finds out in the first step: with a work dir made, and often by a traceback. A resumed
    run takes no weights from elsewhere.

    Args:
        config: Any config; a model without a backbone passes.

    Raises:
        UserError: The backbone cannot be built (its architecture is unknown, say); the neck
            expects other feature maps; or the weights of a ``TransferHook`` are missing,
            damaged or of another architecture.
    """
    if not has_detector(config):
        return
    place, detector = detector_of(config)
    with scope_of(config, 'mmdet'), telling_what_is_built():
        _check_neck(detector, place)
        for hook in config.get('custom_hooks') or []:
            if not config.get('resume') and _brings_weights(hook):
                transfer: TransferHook = build(HOOKS, hook)
                transfer.check(without_memory(partial(build, MODELS, config.model)))


def _brings_weights(hook: Mapping) -> bool:
    return bool(hook.get('checkpoint')) and is_type(hook, 'rethink_det.TransferHook', HOOKS)


def _check_neck(model: Mapping, where: str) -> None:
    backbone = {key: v for key, v in model['backbone'].items() if key not in _INITIALIZERS}
    bare = partial(build_backbone, backbone)
    without_memory(bare)
    place, neck = next(parts(model, 'neck'), ('', {}))
    wanted = neck.get('widths') if is_type(neck, NARROWED) else neck.get('in_channels')
    if not isinstance(wanted, Sequence):
        return  # it reads some of the maps, and it alone knows which
    try:
        found = [one.width for one in feature_maps(bare)]
    except UserError:  # not every backbone takes a small square image
        return
    # What a neck does with another number of maps is known of a plain FPN alone: it fails.
    known = len(found) == len(wanted) or is_type(neck, 'mmdet.FPN')
    if known and list(wanted) not in (found, found[::-1]):
        raise UserError(
            f'{where}.{place}.in_channels is {list(wanted)}, but the feature maps of '
            f'{where}.backbone are {found} wide. Set {where}.{place}.in_channels, as train '
            '--backbone does.'
        )
