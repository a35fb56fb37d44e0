"""A pruned backbone in the place of a model's own: how it runs there, and the maps it puts out."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.network import build_backbone, without_memory
from rethink_det.arms import Arm
from rethink_det.transfer.adapted import Change, difference
from rethink_det.transfer.backbone_arguments import backbone_arguments
from rethink_det.transfer.backbone_settings import (
    check_replaceable,
    runtime_settings,
    stem_change,
)
from rethink_det.transfer.feature_maps import FeatureMap, feature_maps, place_outputs

KIND = 'rethink_det.PrunedBackbone'
_OWN_WEIGHTS = ('init_cfg', 'pretrained')


@dataclass(frozen=True)
class NewBackbone:
    """What stands in the place of a backbone.

    Attributes:
        runtime: What it is told besides its architecture.
        config: All of its config.
        wanted: The maps of the backbone before, which the model was written for.
        whole: Those of the new one before it was pruned.
        found: Those of the pruned one.
        changes: What else is different.
    """

    runtime: Mapping[str, Any]
    config: dict[str, Any]
    wanted: list[FeatureMap]
    whole: list[FeatureMap]
    found: list[FeatureMap]
    changes: list[Change]


def new_backbone(
    old: Mapping, shape: PrunedArchitecture, architecture: str | os.PathLike | Mapping, arm: Arm
) -> NewBackbone:
    """What takes the place of a backbone.

    Args:
        old: Its config.
        shape: The architecture of the new one.
        architecture: Where that stands: a name, a file, or it itself as a dict.
        arm: Which transfer arm.

    Raises:
        UserError: It cannot take that place; says why.
    """
    check_replaceable(old, shape)
    # Weights come from the transfer, so the old backbone's initializer goes with it.
    bare = {key: value for key, value in old.items() if key not in _OWN_WEIGHTS}
    wanted = feature_maps(partial(build_backbone, bare))
    runtime, changes = runtime_settings(old, shape, arm)
    changes += stem_change(without_memory(partial(build_backbone, bare)), shape)
    selectable = 'out_indices' in backbone_arguments(shape.backbone['type'])
    runtime, found = place_outputs(shape, runtime, wanted, selectable)
    if 'num_stages' in runtime:
        stages = old.get('num_stages', runtime['num_stages'])
        unread = 'nothing reads those after it'
        changes += difference('model.backbone.num_stages', stages, runtime['num_stages'], unread)
    config = {
        'type': KIND,
        'architecture': architecture if isinstance(architecture, Mapping) else str(architecture),
        **runtime,
    }
    whole = feature_maps(partial(shape.base.build, **runtime)) if shape.channels else found
    return NewBackbone(runtime, config, wanted, whole, found, changes)
