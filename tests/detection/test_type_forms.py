"""Every use of a detector's config takes a pruned backbone bare, in full and as its function."""

import pytest

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.backbone import pruned_backbone
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.arms import ARMS, DETECTION
from rethink_det.detection import transfer_config
from rethink_det.detection.load_detector import load_detector
from rethink_det.detection.pruning import backbone_architecture
from rethink_det.detection.transfer.check_model import check_model
from rethink_det.errors import UserError
from rethink_det.registered import build, scope_of
from rethink_det.registry import MODELS
from rethink_det.training.config import find_config, load_config
from rethink_det.training.hooks import MaskHook, TransferHook
from tests.checkpoints import checkpoint

BACKBONE = dict(type='mmdet.ResNet', depth=18, base_channels=8, zero_init_residual=False)
HEAD = dict(type='rethink_det.LinearHead', num_classes=8)
FORMS = ('PrunedBackbone', 'rethink_det.PrunedBackbone', pruned_backbone)


@pytest.fixture
def architecture():
    """Half of what is within the blocks of the first stage."""
    return PrunedArchitecture(BACKBONE, HEAD, (3, 32, 32), {'layer1.0.conv1': 4})


@pytest.fixture(params=FORMS, ids=('bare', 'full', 'function'))
def config(request, architecture, tmp_path):
    """Faster R-CNN on that backbone, its type as given."""
    architecture.save(tmp_path / 'small.json')
    found = load_config(find_config('detection/faster-rcnn_r18-w16_fpn_shapes.py'))
    found.model.backbone = dict(
        type=request.param, architecture=str(tmp_path / 'small.json'), frozen_stages=1
    )
    found.model.neck.in_channels = [8, 16, 32, 64]
    return found


def test_the_model_is_checked_and_built(config, architecture):
    before = config.model.to_dict()
    check_model(config)
    with scope_of(config):
        detector = build(MODELS, config.model)
    assert detector.backbone.architecture == architecture
    trained = Checkpoint.from_dict(detector.state_dict())
    assert load_detector(config, trained).backbone.architecture == architecture
    assert config.model.to_dict() == before


def test_a_neck_of_other_widths_is_refused(config):
    config.model.neck.in_channels = [8, 16, 32, 65]
    with pytest.raises(UserError, match=r'model.neck.in_channels is \[8, 16, 32, 65\]'):
        check_model(config)


def test_what_is_pruned_is_what_the_config_names(config, architecture):
    assert backbone_architecture(config, Checkpoint.from_dict({})) == architecture


def test_what_a_checkpoint_says_of_itself_counts(config, architecture):
    other = PrunedArchitecture(BACKBONE, HEAD, (3, 32, 32), {'layer2.0.conv1': 4})
    with scope_of(config):
        config.model.backbone.architecture = other.to_dict()
        state = build(MODELS, config.model).state_dict()
    config.model.backbone.architecture = 'gone.json'
    assert load_detector(config, checkpoint(state, other)).backbone.architecture == other
    with pytest.raises(UserError, match="No architecture 'gone.json'"):
        load_detector(config, checkpoint(state))


def test_another_backbone_takes_its_place(config, tmp_path):
    wider = PrunedArchitecture(BACKBONE | dict(base_channels=16), HEAD, (3, 32, 32))
    wider.save(tmp_path / 'wider.json')
    arm = ARMS.get(DETECTION, 'random')
    adapted = transfer_config(config, arm, tmp_path / 'wider.json').config
    assert adapted.model.backbone.type == 'rethink_det.PrunedBackbone'
    assert adapted.model.backbone.frozen_stages == -1
    assert list(adapted.model.neck.in_channels) == [16, 32, 64, 128]
    check_model(adapted)


@pytest.mark.parametrize('config', ['rethink_det.PrunedBackbone'], indirect=True)
@pytest.mark.parametrize(
    'transfer, mask',
    [
        ('TransferHook', 'MaskHook'),
        ('rethink_det.TransferHook', 'rethink_det.MaskHook'),
        (TransferHook, MaskHook),
    ],
)
def test_hooks_that_bring_weights_are_looked_at_and_replaced(config, transfer, mask, tmp_path):
    config.custom_hooks = [
        dict(type=transfer, arm='prune-c', checkpoint='gone.pth'),
        dict(type=mask, checkpoint='gone.pth'),
        dict(type='NumClassCheckHook'),
    ]
    with pytest.raises(UserError, match='gone.pth does not exist'):
        check_model(config)
    architecture = config.model.backbone.architecture
    adapted = transfer_config(config, ARMS.get(DETECTION, 'random'), architecture).config
    kinds = [hook.type for hook in adapted.custom_hooks]
    assert kinds == ['NumClassCheckHook', 'rethink_det.TransferHook']
