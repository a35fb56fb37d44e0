"""What a network is, apart from what it knows."""

from rethink_det.architecture.backbone import pruned_backbone
from rethink_det.architecture.biased_downsample import biased_downsample_resnet
from rethink_det.architecture.channel_group import ChannelGroup, Consumer
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.cost import Cost
from rethink_det.architecture.cut import Cut
from rethink_det.architecture.provenance import Parent, Provenance
from rethink_det.architecture.pruned_architecture import PrunedArchitecture
from rethink_det.architecture.surgery import Surgeon

__all__ = [
    'ChannelGroup',
    'Checkpoint',
    'Consumer',
    'Cost',
    'Cut',
    'Parent',
    'Provenance',
    'PrunedArchitecture',
    'Surgeon',
    'biased_downsample_resnet',
    'pruned_backbone',
]
