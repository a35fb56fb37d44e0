"""MaskHook: what was removed stays exactly zero, and the rest trains."""

import pytest
import torch
from torch import nn

from rethink_det import UserError
from rethink_det.architecture.checkpoint import Checkpoint, load_checkpoint
from rethink_det.architecture.weight_masks import describe, digest, pack
from rethink_det.registry import HOOKS
from rethink_det.training import MaskHook
from rethink_det.training.hooks.mask import redraw
from rethink_det.training.launch import train
from tests.checkpoints import of_arm

OPTIMIZER = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
)


def hook(checkpoint, **settings) -> dict:
    return dict(type='rethink_det.MaskHook', checkpoint=checkpoint, **settings)


def test_removed_weights_are_exactly_zero_after_every_step(
    tiny_config, run_with, watch, mask_file, random_masks
):
    steps = []

    def look(model):
        weights = dict(model.named_parameters())
        steps.append({name: weights[name].detach().clone() for name in random_masks})

    config = tiny_config(hooks=[hook(mask_file)], optim_wrapper=OPTIMIZER)
    run_with(config, watch(before_train_epoch=look, after_train_iter=look))
    assert len(steps) == 12
    for step in steps:
        for name, mask in random_masks.items():
            assert not step[name][~mask].any(), name
            assert step[name][mask].all(), name
    assert all(not torch.equal(steps[0][name], steps[-1][name]) for name in random_masks)


def test_checkpoints_have_the_masks(tiny_config, last, mask_file, random_masks):
    config = tiny_config(epochs=1, hooks=[hook(mask_file)])
    train(config)
    checkpoint = last(config)
    assert digest(Checkpoint.from_dict(checkpoint).masks) == digest(random_masks)
    assert checkpoint['meta']['architecture']['masks'] == describe(random_masks)
    assert checkpoint['meta']['provenance']['seed'] == 1


@pytest.mark.parametrize('fresh', [False, True])
def test_a_resumed_run_ends_alike(resumes_alike, mask_file, fresh):
    resumes_alike([hook(mask_file, redraw=fresh)], optim_wrapper=OPTIMIZER)


def test_masks_act_on_transferred_weights(tiny_config, last, mask_file, random_masks):
    source = tiny_config('source', epochs=1, seed=7)
    train(source)
    parent = str(of_arm(f'{source.work_dir}/epoch_1.pth', 'pruned'))
    transfer = dict(type='rethink_det.TransferHook', arm='fine-tune', checkpoint=parent, part=None)
    config = tiny_config(epochs=1, lr=0.0, hooks=[hook(mask_file), transfer])
    train(config)
    expected, found = load_checkpoint(parent)['state_dict'], last(config)['state_dict']
    for name, mask in random_masks.items():
        assert torch.equal(found[name], torch.where(mask, expected[name], 0.0)), name


def test_a_part_is_masked_alone(tiny_config, last, tmp_path, random_masks):
    masks = {**random_masks, 'head.fc.weight': torch.zeros(2, 16).bool()}
    torch.save({'masks': pack(masks)}, tmp_path / 'more.pth')
    path = str(tmp_path / 'more.pth')
    config = tiny_config(epochs=1, hooks=[hook(path, part='backbone')])
    train(config)
    assert digest(Checkpoint.from_dict(last(config)).masks) == digest(random_masks)
    assert last(config)['state_dict']['head.fc.weight'].all()
    with pytest.raises(UserError, match='more.pth has no masks of neck, only backbone.conv1'):
        train(tiny_config('other', hooks=[hook(path, part='neck')]))


@pytest.mark.parametrize('groups', [1, 4])
def test_a_redrawn_layer_has_the_variance_of_its_remaining_fan_out(groups):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(64, 128, 3, groups=groups), nn.Linear(4, 4))
    before = model[1].weight.detach().clone()
    mask = torch.rand(model[0].weight.shape) < 0.1
    redraw(model, {'0.weight': mask, '1.weight': torch.zeros(4, 4).bool()})
    expected = (2 / (mask.sum().item() / (64 // groups))) ** 0.5
    assert model[0].weight.std().item() == pytest.approx(expected, rel=0.03)
    assert torch.equal(model[1].weight, before)


def test_an_emptied_layer_can_be_redrawn():
    model = nn.Sequential(nn.Conv2d(4, 4, 3))
    redraw(model, {'0.weight': torch.zeros(4, 4, 3, 3).bool()})
    assert model[0].weight.isfinite().all()


def test_a_redraw_is_another_start_but_repeatable(tiny_config, last, mask_file):
    states = []
    for name, fresh in (('a', True), ('b', True), ('c', False)):
        config = tiny_config(name, epochs=1, lr=0.0, hooks=[hook(mask_file, redraw=fresh)])
        train(config)
        states.append(last(config)['state_dict'])
    names = [name for name in states[0] if 'conv' in name]
    assert all(torch.equal(states[0][name], states[1][name]) for name in names)
    assert not any(torch.equal(states[0][name], states[2][name]) for name in names)
    assert torch.equal(states[0]['head.fc.weight'], states[2]['head.fc.weight'])


def test_a_second_call_changes_nothing(mask_file, random_masks, tiny_config, run_with):
    masking = MaskHook(mask_file, redraw=True)
    runner = run_with(tiny_config(epochs=1), masking)
    before = {name: p.detach().clone() for name, p in runner.model.named_parameters()}
    masking.before_train(runner)
    for name, parameter in runner.model.named_parameters():
        assert torch.equal(parameter, before[name])
        assert len(parameter._backward_hooks or {}) == (name in random_masks)


@pytest.mark.parametrize(
    'masks, message',
    [
        (None, 'has no masks'),
        ({'backbone.conv9.weight': torch.ones(1).bool()}, 'no parameter backbone.conv9.weight'),
        ({'backbone.conv1.weight': torch.ones(1).bool()}, r'\(1,\) there, \(4, 3, 3, 3\) here'),
    ],
)
def test_masks_that_do_not_fit_are_refused(tiny_config, tmp_path, masks, message):
    torch.save({'masks': pack(masks)} if masks else {}, tmp_path / 'odd.pth')
    with pytest.raises(UserError, match=f'odd.pth.*{message}'):
        train(tiny_config(hooks=[hook(str(tmp_path / 'odd.pth'))]))


def test_a_missing_checkpoint_is_refused(tiny_config, tmp_path):
    with pytest.raises(UserError, match='gone.pth does not exist'):
        train(tiny_config(hooks=[hook(str(tmp_path / 'gone.pth'))]))


def test_all_hooks_of_pruning_are_known_by_their_scoped_names():
    for name in ('Mask', 'Sparsity', 'SoftFilter', 'GradualMagnitude', 'StructureScale'):
        assert HOOKS.get(f'rethink_det.{name}Hook').__name__ == f'{name}Hook'
