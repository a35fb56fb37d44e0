"""An arm is data: the parent's config, with another network, budget or start."""

from dataclasses import replace
from functools import partial

import pytest
from mmengine.config import Config

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import digest, load_checkpoint, save_checkpoint
from rethink_det.architecture.flops import CONVENTIONS, flops
from rethink_det.arms import ARMS, CLASSIFICATION
from rethink_det.classification import Classifier
from rethink_det.classification.arm_config import (
    ArmSettings,
    arm_config,
    classifier_architecture,
)
from rethink_det.pruning import prune
from rethink_det.training.launch import train
from rethink_det.training.resumable import last_checkpoint

get_arm = partial(ARMS.get, CLASSIFICATION)
SETTINGS = ArmSettings(fine_tune_epochs=2, fine_tune_lr=0.003)


@pytest.fixture
def parent(tiny_config):
    schedule = dict(type='MultiStepLR', milestones=[80, 120], gamma=0.1)
    return tiny_config('parent', epochs=160, lr=0.1, param_scheduler=[schedule])


@pytest.fixture
def pruned(parent, tmp_path):
    """Files of a pruned architecture and of its inherited weights."""
    model = {k: v for k, v in parent.model.items() if k not in ('type', 'data_preprocessor')}
    result = prune(Classifier(**model), dict(type='L1NormPruner', ratios=0.5))
    result.architecture.save(tmp_path / 'small.json')
    save_checkpoint({'state_dict': result.state_dict}, tmp_path / 'inherited.pth')
    return dict(architecture=tmp_path / 'small.json', weights=tmp_path / 'inherited.pth')


def arm(name, parent, pruned, settings=SETTINGS) -> Config:
    return arm_config(parent, get_arm(name), settings, **pruned)


def test_unpruned_is_the_parent(parent, pruned):
    assert arm('unpruned', parent, pruned).to_dict() == parent.to_dict()
    assert arm_config(parent, get_arm('unpruned'), SETTINGS).to_dict() == parent.to_dict()


@pytest.mark.parametrize('name', [arm.name for arm in ARMS.of(CLASSIFICATION) if arm.pruned])
def test_the_others_train_the_pruned_network_and_leave_the_parent_alone(name, parent, pruned):
    before = parent.pretty_text
    config = arm(name, parent, pruned)
    assert parent.pretty_text == before
    assert classifier_architecture(config) == PrunedArchitecture.load(pruned['architecture'])
    for key in ('train_dataloader', 'test_evaluator', 'randomness', 'work_dir'):
        assert config[key] == parent[key]
    assert config.train_cfg.val_interval == config.train_cfg.max_epochs


def test_scratch_e_has_the_parents_budget(parent, pruned):
    config = arm('scratch-e', parent, pruned)
    assert config.train_cfg.max_epochs == 160
    assert config.param_scheduler == parent.param_scheduler
    assert config.optim_wrapper == parent.optim_wrapper and not config.custom_hooks


def test_scratch_b_has_the_parents_compute(parent, pruned):
    config = arm('scratch-b', parent, pruned)
    full = classifier_architecture(parent).cost().macs
    small = PrunedArchitecture.load(pruned['architecture']).cost().macs
    epochs = config.train_cfg.max_epochs
    assert 160 < epochs == round(160 * full / small)
    assert config.param_scheduler[0].milestones == [(epochs + 1) // 2, (3 * epochs + 2) // 4]
    assert config.optim_wrapper == parent.optim_wrapper and not config.custom_hooks
    capped = arm('scratch-b', parent, pruned, ArmSettings(scratch_b_cap=1.25))
    assert capped.train_cfg.max_epochs == 200
    assert capped.param_scheduler[0].milestones == [100, 150]


def test_scratch_b_alone_goes_by_the_count_that_is_asked_for(parent, pruned):
    full, small = classifier_architecture(parent), PrunedArchitecture.load(pruned['architecture'])
    counts = {count: flops(full, count) / flops(small, count) for count in CONVENTIONS}
    expected = [round(160 * ratio) for ratio in counts.values()]
    settings = [replace(SETTINGS, flops=count) for count in CONVENTIONS]
    for name in ('scratch-b', 'scratch-e', 'scratch-total', 'fine-tune'):
        epochs = [arm(name, parent, pruned, one).train_cfg.max_epochs for one in settings]
        assert epochs == expected if name == 'scratch-b' else epochs[0] == epochs[1]
    assert expected[0] > expected[1]  # a ReLU is not saved as a convolution is


def test_rewinding_differs_from_scratch_e_in_its_weights_alone(parent, pruned):
    rewound, drawn = (arm(name, parent, pruned).to_dict() for name in ('rewind', 'scratch-e'))
    (hook,) = rewound.pop('custom_hooks')
    assert (hook['arm'], hook['checkpoint']) == ('rewind', str(pruned['weights']))
    assert not drawn.pop('custom_hooks') and rewound == drawn


def test_rewinding_may_take_the_schedule_of_scratch_b(parent, pruned):
    longer = arm('rewind', parent, pruned, replace(SETTINGS, schedule='scratch-b'))
    assert longer.param_scheduler == arm('scratch-b', parent, pruned).param_scheduler
    assert longer.optim_wrapper.optimizer.lr == 0.1


def test_scratch_total_has_the_compute_of_parent_and_fine_tuning(parent, pruned):
    full = classifier_architecture(parent).cost().macs
    small = PrunedArchitecture.load(pruned['architecture']).cost().macs
    config = arm('scratch-total', parent, pruned)
    assert config.train_cfg.max_epochs == round(160 * full / small + 2) and not config.custom_hooks
    known = arm_config(parent, get_arm('scratch-total'), SETTINGS, **pruned, owed=30.2)
    assert known.train_cfg.max_epochs == 32


@pytest.mark.parametrize(
    'name, settings, epochs, lr',
    [
        ('scratch-e', dict(epochs=7), 7, 0.1),
        ('scratch-e', dict(schedule=2.5), 400, 0.1),
        ('fine-tune', dict(schedule=2.5), 5, 0.003),
        ('fine-tune', dict(epochs=9), 9, 0.003),
    ],
)
def test_a_budget_of_its_own_goes_before_the_rule(parent, pruned, name, settings, epochs, lr):
    config = arm(name, parent, pruned, replace(SETTINGS, **settings))
    assert config.train_cfg.max_epochs == config.train_cfg.val_interval == epochs
    assert config.optim_wrapper.optimizer.lr == lr


def test_the_schedule_is_compressed_once(parent, pruned):
    config = arm_config(parent, get_arm('scratch-b'), SETTINGS, **pruned, epochs=3)
    full = classifier_architecture(parent).cost().macs
    small = PrunedArchitecture.load(pruned['architecture']).cost().macs
    assert config.train_cfg.max_epochs == round(3 * full / small)
    whole = arm_config(parent, get_arm('unpruned'), SETTINGS, epochs=3)
    assert whole.train_cfg.max_epochs == 3


def test_fine_tuning_is_short_constant_and_inherits(parent, pruned):
    parent.custom_hooks = [dict(type='EmptyCacheHook')]
    config = arm('fine-tune', parent, pruned)
    assert config.train_cfg.max_epochs == 2 and config.param_scheduler == []
    assert config.optim_wrapper.optimizer.lr == 0.003
    assert config.optim_wrapper.optimizer.momentum == parent.optim_wrapper.optimizer.momentum
    assert config.custom_hooks[0] == dict(type='EmptyCacheHook')
    hook = config.custom_hooks[1]
    assert hook.arm == 'fine-tune' and hook.checkpoint == str(pruned['weights'])


def test_the_published_settings_are_the_default():
    assert ArmSettings() == ArmSettings(40, 0.001, None)


def test_a_fine_tuned_network_starts_from_the_inherited_weights(parent, pruned):
    config = arm('fine-tune', parent, pruned)
    train(config)
    meta = load_checkpoint(last_checkpoint(config.work_dir))['meta']
    inherited = load_checkpoint(pruned['weights'])['state_dict']
    assert meta['provenance']['parent_digest'] == digest(inherited)
    assert PrunedArchitecture.from_dict(meta['architecture']) == PrunedArchitecture.load(
        pruned['architecture']
    )


def test_settings_of_the_run_stay_with_the_backbone(parent, pruned, tmp_path):
    parent.model.backbone = dict(
        type='mmdet.ResNet', depth=18, base_channels=4, frozen_stages=1, norm_eval=True
    )
    base = classifier_architecture(parent)
    assert 'frozen_stages' not in base.backbone
    base.save(tmp_path / 'base.json')
    config = arm_config(parent, get_arm('scratch-e'), SETTINGS, tmp_path / 'base.json')
    assert config.model.backbone.frozen_stages == 1 and config.model.backbone.norm_eval is True


def test_what_is_no_classifier_is_refused(parent, pruned):
    with pytest.raises(UserError, match="is 'mmdet.FasterRCNN', expected 'rethink_det.Classifier'"):
        classifier_architecture(Config(dict(model=dict(type='mmdet.FasterRCNN'))))
    with pytest.raises(UserError, match='is None, expected'):
        classifier_architecture(Config(dict(train_cfg=None)))
    with pytest.raises(UserError, match='Budgets count epochs'):
        parent.train_cfg = dict(by_epoch=False, max_iters=10)
        arm('scratch-b', parent, pruned)


def test_a_missing_architecture_is_refused(parent, tmp_path):
    with pytest.raises(UserError, match='No architecture .*gone.json'):
        arm_config(parent, get_arm('scratch-e'), SETTINGS, tmp_path / 'gone.json')
    with pytest.raises(UserError, match='Arm scratch-e needs a pruned architecture'):
        arm_config(parent, get_arm('scratch-e'), SETTINGS)
    with pytest.raises(UserError, match='Arm fine-tune needs a checkpoint with inherited weights'):
        base = tmp_path / 'base.json'
        classifier_architecture(parent).save(base)
        arm_config(parent, get_arm('fine-tune'), SETTINGS, base)


def test_soft_filter_pruning_stretches_twice_the_epochs_and_the_same_drops(parent, pruned):
    plain = arm('scratch-b', parent, pruned)
    longer = arm('scratch-b', parent, pruned, ArmSettings(scratch_b_epochs=320))
    assert longer.param_scheduler[0].milestones == plain.param_scheduler[0].milestones
    assert longer.train_cfg.max_epochs // 2 == plain.train_cfg.max_epochs


def test_a_classifier_without_backbone_is_refused():
    with pytest.raises(UserError, match="The config's model has no backbone"):
        classifier_architecture(Config(dict(model=dict(type='rethink_det.Classifier'))))


def test_masks_without_the_checkpoint_they_are_in_are_refused(parent, tmp_path):
    masks = {'digest': 'abc', 'kept': {'backbone.conv1.weight': 3}}
    replace(classifier_architecture(parent), masks=masks).save(tmp_path / 'masked.json')
    with pytest.raises(UserError, match='Arm scratch-e trains under weight masks: give the check'):
        arm_config(parent, get_arm('scratch-e'), SETTINGS, tmp_path / 'masked.json')
