"""SSD's head, which mmdet 3.3 can train but not evaluate.

Its ``predict`` asks every head whether its ``loss_cls`` has an activation of its own, and SSD's
head, which computes its loss itself, has no ``loss_cls`` to be asked.
"""

from mmdet.models import SSDHead

from rethink_det.registry import MODELS


@MODELS.register_module()
class EvaluatedSSDHead(SSDHead):
    """mmdet's ``SSDHead``, of the same arguments and tensors, with the answer that it lacks."""

    loss_cls = None
