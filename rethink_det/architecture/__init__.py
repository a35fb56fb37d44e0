"""What a network is, apart from what it knows."""

from rethink_det.architecture.backbone import pruned_backbone
from rethink_det.architecture.cost import Cost
from rethink_det.architecture.spec import PrunedArchitecture
from rethink_det.architecture.surgery import ChannelGroup, Surgeon

__all__ = ['ChannelGroup', 'Cost', 'PrunedArchitecture', 'Surgeon', 'pruned_backbone']
