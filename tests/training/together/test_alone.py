"""What cannot be computed together is found in its config, and named."""

import pytest

from rethink_det import UserError
from rethink_det.training.together.alone import why_alone

MLP = dict(type='rethink_det.MLPHead', hidden=(4,), pool=1, num_classes=2)


def test_nothing_stands_against_the_usual(member):
    assert why_alone(member(epochs=1)) is None
    bfloat16 = dict(type='rethink_det.BFloat16OptimWrapper', optimizer=dict(type='SGD', lr=0.1))
    assert why_alone(member(epochs=1, optim_wrapper=bfloat16)) is None
    config = member(epochs=1)
    config.model.head = dict(MLP, dropout=0)
    assert why_alone(config) is None


@pytest.mark.parametrize(
    'key, value, reason',
    [
        ('train_cfg', dict(by_epoch=True, max_epochs=1), 'train_cfg has another loop'),
        ('train_cfg.graph', True, 'train_cfg.graph'),
        ('train_cfg.compile', {'mode': 'default'}, 'train_cfg.compile'),
        ('launcher', 'pytorch', 'distributed'),
        ('optim_wrapper.type', 'AmpOptimWrapper', 'AmpOptimWrapper may scale the loss'),
        ('model.head', MLP, r'head.classifier.2 draws random numbers'),
        ('model', dict(type='BaseModel'), 'no rethink_det.Classifier'),
    ],
)
def test_what_does_is_named(member, key, value, reason):
    config = member(epochs=1)
    if '.' in key:
        config.merge_from_dict({key: value})
        if isinstance(value, dict) and 'type' in value:
            config.model.head = value
    else:
        config[key] = value
    assert reason.replace('\\', '') in why_alone(config)


def test_a_model_that_cannot_be_built_is_refused(member):
    config = member(epochs=1)
    config.model.backbone.depth = 9
    with pytest.raises(UserError, match='depth'):
        why_alone(config)
