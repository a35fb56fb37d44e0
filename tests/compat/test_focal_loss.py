"""The sigmoid focal loss through mmcv.ops against the paper's formula and its derivative."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

pytestmark = pytest.mark.usefixtures('ext')

CLASSES = 3
TARGET = torch.tensor([0, 2, 1, 3, 2])  # 3, that is CLASSES: background, as mmdet writes it


def formula(logits, target, gamma, alpha, weight=None):
    """Lin et al., arXiv 1708.02002, equation 5, read aloud."""
    p, y = torch.sigmoid(logits), F.one_hot(target, CLASSES + 1)[:, :CLASSES].bool()
    p_t, alpha_t = torch.where(y, p, 1 - p), torch.where(y, alpha, 1 - alpha)
    loss = -alpha_t * (1 - p_t) ** gamma * torch.log(p_t)
    return loss if weight is None else loss * torch.cat((weight, torch.ones(1)))[target][:, None]


def logits(seed=0, dtype=torch.float64):
    torch.manual_seed(seed)
    return (4 * torch.randn(len(TARGET), CLASSES, dtype=dtype)).requires_grad_()


def gradient(loss, x):
    return torch.autograd.grad(loss.sum(), x)[0]


@given(
    st.integers(0, 99),
    st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0]),
    st.sampled_from([0.0, 0.25, 0.75, 1.0]),
    st.booleans(),
)
def test_values_and_gradients_equal_the_formula(seed, gamma, alpha, weighted):
    from mmcv.ops import sigmoid_focal_loss

    x = logits(seed)
    weight = torch.tensor([0.5, 2.0, 3.0], dtype=x.dtype) if weighted else None
    ours = sigmoid_focal_loss(x, TARGET, gamma, alpha, weight, 'none')
    theirs = formula(x, TARGET, gamma, alpha, weight)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradient(ours, x), gradient(theirs, x))


@pytest.mark.parametrize('gamma', [0.5, 2.0])
@pytest.mark.parametrize('reduction', ['none', 'mean', 'sum'])
def test_gradient_equals_finite_differences(gamma, reduction):
    from mmcv.ops import sigmoid_focal_loss

    weight = torch.tensor([0.5, 2.0, 3.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda x: sigmoid_focal_loss(x, TARGET, gamma, 0.25, weight, reduction), logits()
    )


def test_equals_the_loss_that_mmdet_takes_on_the_cpu(device):
    import mmdet.models  # noqa: F401
    from mmcv.ops import sigmoid_focal_loss
    from mmdet.models.losses.focal_loss import py_sigmoid_focal_loss

    x = logits(dtype=torch.float32)
    one_hot = F.one_hot(TARGET, CLASSES + 1)[:, :CLASSES]
    theirs = py_sigmoid_focal_loss(x, one_hot, gamma=2.0, alpha=0.25, reduction='none')
    on_device = x.detach().to(device).requires_grad_()
    ours = sigmoid_focal_loss(on_device, TARGET.to(device), 2.0, 0.25, None, 'none')
    torch.testing.assert_close(ours.cpu(), theirs)
    torch.testing.assert_close(gradient(ours, on_device).cpu(), gradient(theirs, x))


def test_without_focusing_it_is_cross_entropy():
    from mmcv.ops import sigmoid_focal_loss

    x, one_hot = logits(), F.one_hot(TARGET, CLASSES + 1)[:, :CLASSES].double()
    entropy = F.binary_cross_entropy_with_logits(x, one_hot, reduction='none')
    torch.testing.assert_close(sigmoid_focal_loss(x, TARGET, 0.0, 0.5, None, 'none'), entropy / 2)


def test_reductions():
    from mmcv.ops import SigmoidFocalLoss

    x = logits()
    each = formula(x, TARGET, 2.0, 0.25)
    torch.testing.assert_close(SigmoidFocalLoss(2.0, 0.25, reduction='sum')(x, TARGET), each.sum())
    mean = SigmoidFocalLoss(2.0, 0.25, reduction='mean')(x, TARGET)  # per row, as RetinaNet counts
    torch.testing.assert_close(mean, each.sum() / len(x))


@pytest.mark.parametrize('background', [CLASSES, CLASSES + 80, -1])
def test_background_is_every_number_that_is_no_class(ext, background):
    x = torch.zeros(1, CLASSES)
    loss = torch.empty_like(x)
    weight, target = torch.tensor([5.0, 6.0, 7.0]), torch.tensor([background])
    ext.sigmoid_focal_loss_forward(x, target, weight, loss, gamma=2.0, alpha=0.25)
    torch.testing.assert_close(loss, 0.75 * 0.25 * torch.full_like(x, 2).log())


@pytest.mark.parametrize('gamma', [0.5, 2.0])
def test_extreme_logits_stay_finite_and_exact(gamma):
    from mmcv.ops import sigmoid_focal_loss

    x = torch.tensor([[-200.0, 200, 0], [200, -200, 0]], requires_grad=True)
    loss = sigmoid_focal_loss(x, torch.tensor([0, 0]), gamma, 0.25, None, 'none')
    assert loss[0, 0] == 0.25 * 200  # missed by far: alpha * |logit|
    assert loss[0, 1] == 0.75 * 200
    assert loss[1, 0] == loss[1, 1] == 0  # hit by far
    found = gradient(loss, x)
    assert found[0, 0] == -0.25
    assert found[0, 1] == 0.75
    assert found[1, 0] == found[1, 1] == 0


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(device, dtype):
    from mmcv.ops import sigmoid_focal_loss

    half = logits(dtype=torch.float32).detach().to(device, dtype).requires_grad_()
    target = TARGET.to(device)
    exact = sigmoid_focal_loss(half.float(), target, 2.0, 0.25, None, 'none')
    loss = sigmoid_focal_loss(half, target, 2.0, 0.25, None, 'none')
    assert torch.equal(loss, exact.to(dtype))
    assert gradient(loss, half).dtype == dtype


def test_no_rows(device):
    from mmcv.ops import sigmoid_focal_loss

    x = torch.zeros(0, CLASSES, device=device, requires_grad=True)
    loss = sigmoid_focal_loss(x, TARGET[:0].to(device), 2.0, 0.25, None, 'sum')
    loss.backward()
    assert loss == 0
    assert x.grad.shape == x.shape


def test_rows_and_targets_must_correspond(ext):
    x = torch.zeros(5, CLASSES)
    with pytest.raises(RuntimeError, match='size'):
        ext.sigmoid_focal_loss_forward(
            x, TARGET[:3], torch.zeros(0), torch.zeros(5, CLASSES), gamma=2.0, alpha=0.25
        )


def test_weights_and_classes_must_correspond():
    from mmcv.ops import sigmoid_focal_loss

    with pytest.raises(AssertionError):
        sigmoid_focal_loss(logits(), TARGET, 2.0, 0.25, torch.ones(CLASSES + 1), 'none')
