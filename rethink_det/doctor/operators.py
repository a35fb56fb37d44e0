"""mmcv's operators: compiled, this package's, missing."""

from importlib import import_module

import torch

from rethink_det.compat import survey
from rethink_det.compat.missing import way_around
from rethink_det.doctor.finding import Ability, Finding

REMEDY = (
    "mmcv's compiled operators do not load, mostly since they were compiled for another torch; "
    "install them anew for this one ('mim install mmcv'), or take mmcv without them"
)


def check_operators() -> Finding:
    """Who supplies which operator, and whether NMS runs on every device."""
    try:
        operators = survey()
    except ImportError as error:
        return Finding({'failed': str(error)}, (Ability('detectors', False, REMEDY),))
    facts = {
        'compiled': operators.compiled,
        'of rethink_det': operators.supplied,
        'missing': operators.missing,
    }
    devices = ['cpu', 'cuda'] if torch.cuda.is_available() else ['cpu']
    return Finding(facts, (*map(_nms_runs, devices), *_other_detectors(operators.missing)))


def _nms_runs(device: str) -> Ability:
    what = f'detectors on {device}: NMS, RoIAlign, deformable convolution, focal loss, soft-NMS'
    try:
        boxes = torch.tensor([[0.0, 0.0, 9.0, 9.0]], device=device)
        import_module('mmcv._ext').nms(boxes, boxes[:, 2], iou_threshold=0.5, offset=0)
    except RuntimeError as error:
        remedy = (
            f'NMS fails there ({str(error).splitlines()[0][:120]}): install torch and torchvision '
            'of one release and one CUDA version'
        )
        return Ability(what, False, remedy)
    return Ability(what, True)


def _other_detectors(missing: tuple[str, ...]) -> list[Ability]:
    """An entry for each way around, with the operators that it avoids."""
    avoided: dict[str, list[str]] = {}
    for name in missing:
        way = way_around(name)
        if way is not None and not name.endswith('_backward'):
            avoided.setdefault(way, []).append(name.removesuffix('_forward'))
    return [
        Ability(f'detectors that call {", ".join(names)}', False, f"'mim install mmcv', or {way}")
        for way, names in avoided.items()
    ]
