"""Classifiers whose backbones are transferred, pruned in their outputs as well."""

import torch

from rethink_det.architecture import Cut, PrunedArchitecture
from rethink_det.architecture.input_convention import InputConvention
from tests.checkpoints import checkpoint

RGB = dict(channels='rgb', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])


def architecture(depth=50, **backbone) -> PrunedArchitecture:
    """A classifier of small images, as deep as a detector's backbone."""
    backbone = dict(type='mmdet.ResNet', depth=depth, zero_init_residual=False) | backbone
    head = dict(type='rethink_det.LinearHead', num_classes=5)
    return PrunedArchitecture(backbone, head, (3, 32, 32))


def write_classifier(path, keep=None, convention=RGB, arm=None, **backbone):
    """Its checkpoint; ``keep`` has the share of filters that a layer keeps, by L1 norm."""
    parent = architecture(**backbone)
    network = damped(parent.build_network())
    small = parent.after(Cut(channels=best(network.backbone, keep or {})))
    state = small.inherit(network.state_dict())
    checkpoint(state, small, arm, input_convention=InputConvention.from_dict(convention)).write(
        path
    )
    return path


@torch.no_grad()
def damped(network):
    """Residual branches that add little: a deep random network overflows otherwise."""
    for name, parameter in network.named_parameters():
        if name.endswith('bn3.weight'):
            parameter.fill_(0.1)
    return network


@torch.no_grad()
def best(backbone, keep: dict) -> dict:
    """The filters of the largest L1 norms, by layer."""
    kept = {}
    for name, share in keep.items():
        norms = backbone.get_submodule(name).weight.abs().sum((1, 2, 3))
        kept[name] = sorted(norms.topk(int(share * len(norms))).indices.tolist())
    return kept
