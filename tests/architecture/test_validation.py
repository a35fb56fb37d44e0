"""The fields of an architecture hold what they are for."""

import pytest

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture

BACKBONE = dict(type='rethink_det.CifarResNet', depth=8, base_channels=4)
HEAD = dict(type='rethink_det.LinearHead', num_classes=3)


def described(**fields):
    return PrunedArchitecture(**{
        'backbone': BACKBONE, 'head': HEAD, 'input_shape': (3, 16, 16), **fields
    })  # fmt: skip


def masks(**fields):
    return {'digest': 'abc', 'kept': {'backbone.conv1.weight': 3}, **fields}


def test_a_block_is_removed_once():
    with pytest.raises(UserError, match='removed_blocks names layer2.0 twice'):
        described(removed_blocks=['layer2.0', 'layer3.0', 'layer2.0'])


@pytest.mark.parametrize('count', [-1, 1.5, True, 'all'])
def test_weights_kept_that_are_no_count_are_refused_by_parameter(count):
    with pytest.raises(UserError, match='masks: of backbone.conv1.weight must be said how many'):
        described(masks=masks(kept={'backbone.conv1.weight': count}))


@pytest.mark.parametrize('digest', [3, None])
def test_a_digest_of_masks_that_is_no_text_is_refused(digest):
    with pytest.raises(UserError, match=f'masks: digest must be a text, got {digest}'):
        described(masks=masks(digest=digest))


@pytest.mark.parametrize('shape', [(3, 16, 16.0), (3, 16), 'x', (3, 0, 16), (True, 16, 16)])
def test_an_input_that_is_no_shape_is_refused(shape):
    with pytest.raises(UserError, match=r'input_shape must be \(channels, height, width\), got'):
        described(input_shape=shape)
