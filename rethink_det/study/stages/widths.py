"""Pruning to the widths that another method found in the same parent."""

from collections.abc import Mapping
from typing import Any

from rethink_det.architecture import PrunedArchitecture
from rethink_det.pruning import build_pruner
from rethink_det.report.run_result import RunResult
from rethink_det.report.spent import Spent
from rethink_det.study import ledger
from rethink_det.study.nodes import Run


def pruner_settings(pruner: Mapping[str, Any], widths: Run | None) -> dict[str, Any]:
    """What a stage is told of a pruner: its config, and whose widths it takes.

    Args:
        pruner: The config.
        widths: The run that finds them; None if the pruner does.
    """
    more = {} if widths is None else {'widths_of': widths.model}
    return {'pruner': {**pruner, **more}}


def shape_source(widths: RunResult | None) -> dict[str, str]:
    """What a control follows from of another's pruning: how many channels stayed, not which."""
    if widths is None:
        return {}
    shape = PrunedArchitecture.load(widths.architecture_path).shape()
    return {'widths': shape.digest}


def with_widths(pruner: Mapping[str, Any], widths: RunResult | None) -> dict[str, Any]:
    """The config of the pruner, with its target."""
    if widths is None:
        return dict(pruner)
    return {**pruner, 'target': str(widths.architecture_path)}


def accounts_of_pruning(
    pruner: Mapping[str, Any], widths: RunResult | None, needed: Spent, own: Spent
) -> dict[str, Any]:
    """Fields of the result that tell what pruning took; the shape perhaps less than the weights.

    Args:
        pruner: Its config.
        widths: What has found the widths, if another did.
        needed: What the trained network took.
        own: What the run alone took.
    """
    if widths is not None:
        return ledger.fields_of(own, needed, widths.shape_spent)
    shape = ledger.of_shape(build_pruner(dict(pruner)), needed + own)
    return ledger.fields_of(own, needed, shape)
