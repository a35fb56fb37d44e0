"""The LASSO with a given number of coefficients."""

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from rethink_det.pruning.lasso import lasso


def normal_equations(samples, channels, seed, mixing=1.0):
    """Positive, correlated regressors, as behind a ReLU."""
    generator = torch.Generator().manual_seed(seed)
    base = torch.randn(samples, channels // 2 + 1, generator=generator)
    mixed = base @ torch.randn(channels // 2 + 1, channels, generator=generator)
    x = (mixing * mixed + torch.randn(samples, channels, generator=generator)).relu().double()
    y = x @ torch.randn(channels, generator=generator).double()
    y += torch.randn(samples, generator=generator)
    return x.T @ x, x.T @ y


def assert_optimal(gram, target, solution):
    """The subgradient conditions: they are sufficient, the problem is convex."""
    slope, size = target - gram @ solution.beta, 1e-9 * target.abs().max()
    on = solution.active
    assert torch.equal(on, solution.beta != 0)
    assert (slope[on] - solution.penalty * solution.beta[on].sign()).abs().max() <= size
    assert slope.abs().max() <= solution.penalty + size


@given(st.integers(2, 40), st.integers(0, 999), st.sampled_from([0.0, 1.0, 10.0]), st.data())
def test_the_solution_is_optimal_and_has_the_wanted_size(channels, seed, mixing, data):
    count = data.draw(st.integers(1, channels))
    gram, target = normal_equations(3 * channels, channels, seed, mixing)
    assume(gram.diagonal().all())  # a ReLU may silence a channel, which then never helps
    solution = lasso(gram, target, count)
    assert solution.active.sum() == count
    assert solution.penalty >= 0
    assert_optimal(gram, target, solution)


def test_a_larger_problem_is_optimal():
    gram, target = normal_equations(1000, 256, 0)
    solution = lasso(gram, target, 128)
    assert solution.active.sum() == 128
    assert_optimal(gram, target, solution)


def test_orthogonal_variables_join_by_correlation_and_are_thresholded():
    target = torch.tensor([1.0, -5.0, 3.0, 0.5, -2.0], dtype=torch.float64)
    solution = lasso(torch.eye(5, dtype=torch.float64), target, 3)
    assert solution.penalty == 1.5  # half way between the third and the fourth
    assert solution.beta.tolist() == [0, -3.5, 1.5, 0, -0.5]


def test_a_variable_may_leave_again():
    gram, target = normal_equations(12, 4, 164)
    solutions = [lasso(gram, target, count) for count in (1, 2, 3)]
    active = [solution.active.nonzero().flatten().tolist() for solution in solutions]
    assert active == [[3], [1, 3], [0, 1, 2]]
    for solution in solutions:
        assert_optimal(gram, target, solution)


@pytest.mark.parametrize('count', [1, 2, 3, 4])
def test_silent_and_repeated_variables_are_left_out(count):
    gram, target = normal_equations(50, 4, 0)
    where = [0, 1, 1, 2, 3]  # two are the same
    gram, target = gram[where][:, where], target[where]
    gram = torch.nn.functional.pad(gram, (0, 1, 0, 1))  # the last is silent
    target = torch.nn.functional.pad(target, (0, 1))
    solution = lasso(gram, target, count)
    assert solution.active.sum() == count
    assert not solution.active[5] and not solution.active[1:3].all()


def test_where_no_further_variable_helps_fewer_are_active():
    gram, target = normal_equations(50, 4, 0)
    gram = torch.nn.functional.pad(gram, (0, 3, 0, 3))
    target = torch.nn.functional.pad(target, (0, 3))
    solution = lasso(gram, target, 6)
    assert solution.active.tolist() == [True] * 4 + [False] * 3
    assert solution.penalty == 0
    torch.testing.assert_close(gram @ solution.beta, target)
    assert not lasso(gram, 0 * target, 2).active.any()
