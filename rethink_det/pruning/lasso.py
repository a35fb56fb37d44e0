"""The LASSO with a given number of non-zero coefficients, on normal equations.

Paper: Least Angle Regression (Efron et al., arXiv math/0406456), section 3.1, theorem 1: the
LASSO's solutions for all penalties are piecewise linear between the penalties at which a
variable joins or leaves, so they can be followed from the empty solution on.
Deviation: the linear algebra is one sweep of the Gram matrix for each variable that joins or
leaves (Beaton 1964), which gives step, direction and collinearity at once.
"""

from typing import NamedTuple

import torch
from torch import Tensor

COLLINEAR = 1e-9
"""A variable of which the active ones leave a smaller share unexplained never joins."""


class Lasso(NamedTuple):
    """A solution.

    Attributes:
        beta: Coefficients ``(C,)``.
        penalty: The penalty it belongs to.
        active: ``(C,)`` bool, the variables in the solution.
    """

    beta: Tensor
    penalty: float
    active: Tensor


def lasso(gram: Tensor, target: Tensor, count: int) -> Lasso:
    """Minimise ``beta' gram beta / 2 - target' beta + penalty |beta|_1``.

    The penalty is the largest at which ``count`` variables are active; half way down to the
    next event, so that none of them is at zero. Fewer are active if no further variable
    would help even without a penalty.

    Args:
        gram: ``(C, C)`` float64, symmetric and positive semidefinite.
        target: ``(C,)`` float64.
        count: How many variables, 1 to C.
    """
    swept, beta, signs = gram.clone(), torch.zeros_like(target), torch.zeros_like(target)
    floor = COLLINEAR * gram.diagonal()
    penalty, event = target.abs().max(), target.abs().argmax()
    if not penalty:
        return Lasso(beta, 0.0, signs != 0)
    for _ in range(10 * len(target)):  # each variable joins and leaves a few times at most
        correlation = target - gram @ beta
        signs[event] = 0 if signs[event] else correlation[event].sign()
        beta[event] = 0
        _sweep(swept, event)
        move = swept @ signs  # active: minus the direction of beta; others: of the correlation
        steps = _steps(correlation, penalty, move, beta, signs, swept.diagonal() > floor)
        event = steps.argmin()
        done = (signs != 0).sum() == count
        step = torch.minimum(steps[event], penalty) * (0.5 if done else 1)
        beta = beta - step * move * signs.abs()
        penalty = penalty - step
        if done or penalty <= 0:
            break
    return Lasso(beta, penalty.item(), signs != 0)


def _sweep(matrix: Tensor, k: Tensor) -> None:
    """Move variable ``k`` into the swept set, or out of it again, in place.

    With S swept, the block SS is minus the inverse of the Gram matrix's, the others' rows
    are regressed on S, and the rest is what S leaves unexplained.
    """
    pivot, column = matrix[k, k].clone(), matrix[:, k].clone()
    matrix.addr_(column, column, alpha=-1 / pivot.item())
    matrix[:, k] = matrix[k] = column / pivot.abs()
    matrix[k, k] = -1 / pivot


def _steps(
    correlation: Tensor, penalty: Tensor, move: Tensor, beta: Tensor, signs: Tensor, free: Tensor
) -> Tensor:
    """How far the penalty falls until each variable joins or leaves, ``inf`` for never."""
    joins = torch.full_like(beta, torch.inf)
    for side in (1, -1):
        gap, closing = (penalty - side * correlation).clamp(min=0), 1 - side * move
        joins = torch.where(closing > 1e-12, torch.minimum(joins, gap / closing), joins)
    joins[~free] = torch.inf
    shrinks = move * signs
    leaves = torch.where(shrinks > 0, beta.abs() / shrinks, torch.inf)
    return torch.where(signs != 0, leaves, joins)
