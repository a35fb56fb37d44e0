"""GradualMagnitudeHook: the cubic schedule, one global mask, and removed for good."""

from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rethink_det import UserError
from rethink_det.architecture.checkpoint import Checkpoint, digest
from rethink_det.architecture.weight_masks import weights_kept
from rethink_det.training import GradualMagnitudeHook
from rethink_det.training.hooks.gradual_magnitude import smallest_removed, sparsity_at
from rethink_det.training.launch import train


def hook(**settings) -> dict:
    settings = dict(sparsity=0.8, end=2, interval=1, **settings)
    return dict(type='rethink_det.GradualMagnitudeHook', **settings)


def convolutions(state) -> dict:
    return {name: t for name, t in state.items() if t.dim() == 4}


def removed(state) -> int:
    return sum(int((t == 0).sum()) for t in convolutions(state).values())


def test_the_schedule_is_equation_1():
    for update in range(5):
        rest = (1 - Fraction(update, 4)) ** 3
        expected = Fraction(9, 10) + (Fraction(1, 10) - Fraction(9, 10)) * rest
        assert sparsity_at(update, 4, 0.1, 0.9) == pytest.approx(float(expected))
    assert sparsity_at(0, 7, 0.0, 0.9) == 0 and sparsity_at(7, 7, 0.1, 0.9) == 0.9


def test_the_smallest_of_all_layers_go_and_those_gone_stay():
    weights = {'a': torch.tensor([[1.0, -5.0], [0.1, 3.0]]), 'b': torch.tensor([0.2, -4.0])}
    ones = {name: torch.ones_like(w).bool() for name, w in weights.items()}
    found = smallest_removed(weights, ones, 0.5)
    assert found['a'].tolist() == [[False, True], [False, True]]
    assert found['b'].tolist() == [False, True]
    gone = {**ones, 'b': torch.tensor([True, False])}
    assert smallest_removed(weights, gone, 1 / 3)['b'].tolist() == [True, False]
    assert smallest_removed(weights, gone, 1 / 3)['a'].tolist() == [[True, True], [False, True]]


@given(st.integers(1, 60), st.floats(0, 0.99), st.integers(0, 9))
def test_exactly_as_many_go_as_the_share_says(count, share, seed):
    generator = torch.Generator().manual_seed(seed)
    weights = {'a': torch.randn(count, generator=generator), 'b': torch.zeros(3, 5)}
    ones = {name: torch.ones_like(w).bool() for name, w in weights.items()}
    left = sum(weights_kept(smallest_removed(weights, ones, share)).values())
    assert left == count + 15 - int((count + 15) * share)


def test_sparsity_follows_the_schedule_and_nothing_comes_back(tiny_config, run_with, watch):
    states = []
    config = tiny_config(epochs=3, lr=0.2, hooks=[hook(start=0.2, begin=1)])
    look = watch(
        after_train_iter=lambda model: states.append(
            {name: t.clone() for name, t in convolutions(model.state_dict()).items()}
        )
    )
    run_with(config, look)
    total = sum(t.numel() for t in states[0].values())
    shares = [0, 0] + [sparsity_at(update, 3, 0.2, 0.8) for update in range(4)] + [0.8] * 3
    assert [removed(state) for state in states] == [int(total * share) for share in shares]
    for before, after in zip(states, states[1:], strict=False):
        assert all(not after[name][before[name] == 0].any() for name in before)
        assert all(not torch.equal(after[name], before[name]) for name in before)


def test_it_begins_at_once_and_ends_when_the_interval_does(tiny_config, run_with, watch):
    counts = []
    settings = {**hook(start=0.5), 'interval': 4}
    config = tiny_config(epochs=2, hooks=[settings])
    look = watch(
        before_train_epoch=lambda model: counts.append(removed(model.state_dict())),
        after_train_iter=lambda model: counts.append(removed(model.state_dict())),
    )
    runner = run_with(config, look)
    total = sum(t.numel() for t in convolutions(runner.model.state_dict()).values())
    half, end = int(total * 0.5), int(total * 0.8)
    assert counts == [half] * 4 + [half] + [end] * 3


def test_a_resumed_run_ends_alike_and_has_its_masks(resumes_alike):
    end = resumes_alike([hook()], epochs=3)
    masks = Checkpoint.from_dict(end).masks
    state = convolutions(end['state_dict'])
    assert set(masks) == set(state)
    assert all(not state[name][~mask].any() for name, mask in masks.items())
    total = sum(t.numel() for t in state.values())
    assert sum(weights_kept(masks).values()) == total - int(total * 0.8)
    assert end['meta']['architecture']['masks']['kept'] == weights_kept(masks)


def test_other_weights_to_start_from_bring_no_masks_along(tiny_config, last):
    train(tiny_config('source', epochs=2, hooks=[hook()]))
    source = f'{tiny_config("source").work_dir}/epoch_2.pth'
    changes = dict(epochs=3, lr=0.0, load_from=source)
    config = tiny_config(hooks=[{**hook(), 'sparsity': 0.1, 'end': 3}], **changes)
    train(config)
    saved = Checkpoint.read(source), Checkpoint.from_dict(last(config))
    left = [sum(weights_kept(checkpoint.masks).values()) for checkpoint in saved]
    total = sum(t.numel() for t in convolutions(last(config)['state_dict']).values())
    assert left == [total - int(total * share) for share in (0.8, 0.1)]


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(sparsity=1.0), 'sparsity < 1 must hold'),
        (dict(sparsity=0.2, start=0.3), 'start < sparsity'),
        (dict(start=-0.1), '0 <= start'),
        (dict(begin=2), 'begin < end must hold, got begin=2, end=2'),
        (dict(begin=-1), '0 <= begin'),
        (dict(interval=0), 'interval must be a whole number of at least 1'),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(UserError, match=message):
        GradualMagnitudeHook(**{'sparsity': 0.5, 'end': 2, **settings})


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(end=4), 'end=4 is after the last of 3 epochs'),
        (dict(interval=7), 'interval=7 is longer than the 6 iterations'),
    ],
)
def test_a_schedule_that_the_training_cannot_hold_is_refused(tiny_config, settings, message):
    with pytest.raises(UserError, match=message):
        train(tiny_config(hooks=[{**hook(), **settings}]))


def test_a_run_without_masks_is_not_resumed(tiny_config, last):
    config = tiny_config(epochs=1)
    train(config)
    before = digest(last(config)['state_dict'])
    with pytest.raises(UserError, match='the checkpoint has no masks.*use load_from'):
        train(tiny_config(epochs=2, hooks=[hook()], resume=True))
    assert digest(last(config)['state_dict']) == before


@pytest.mark.parametrize('interval', [1.5, float('nan'), '100', None])
def test_an_interval_that_is_no_count_is_refused(interval):
    with pytest.raises(UserError, match='interval must be a whole number of at least 1'):
        GradualMagnitudeHook(0.5, end=2, interval=interval)


@pytest.mark.parametrize('settings', [dict(sparsity='0.5'), dict(end='2'), dict(begin=None)])
def test_settings_that_are_no_numbers_are_refused_by_name(settings):
    name, value = next(iter(settings.items()))
    with pytest.raises(UserError, match=f'Hook: {name} must be a finite number, got {value!r}'):
        GradualMagnitudeHook(**{'sparsity': 0.5, 'end': 2, **settings})
