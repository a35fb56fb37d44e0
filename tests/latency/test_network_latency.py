"""Of what is measured once, the latency of others of its kind follows."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rethink_det.errors import UserError
from rethink_det.latency import NetworkLatency, Operations
from tests.latency.fake_time import fake_latency, fake_table, true_seconds


def narrowed(architecture, kept):
    """With so many channels in each block."""
    layers = [name for name in architecture.widths if name.endswith('conv1') and '.' in name]
    return architecture.__class__(
        architecture.backbone,
        architecture.head,
        architecture.input_shape,
        channels={name: min(kept, architecture.widths[name]) for name in layers},
    )


def test_the_whole_network_takes_what_was_measured(cifar, tmp_path, monkeypatch):
    latency = fake_latency(cifar(), tmp_path, monkeypatch, outside=0.5)
    wanted = 1000 * (true_seconds(cifar()) + 0.5)
    assert latency.milliseconds(cifar()) == pytest.approx(wanted)
    assert latency.measured(cifar()) == pytest.approx(wanted)
    assert latency.cost(cifar(), 'latency') == latency.milliseconds(cifar())
    assert not latency.correct(cifar())
    said = str(latency)
    assert f'{latency.factor:.2f} times the sum of its operations' in said
    assert '+500.00 ms for what else' in said and 'power' not in said


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
@given(st.integers(1, 16), st.integers(1, 16))
def test_what_is_narrower_is_never_slower(cifar, tmp_path, one, other):
    whole = cifar(base_channels=16)
    with pytest.MonkeyPatch.context() as patch:
        latency = fake_latency(whole, tmp_path, patch)
        times = [latency.milliseconds(narrowed(whole, kept)) for kept in sorted((one, other))]
    assert times[0] <= times[1] <= 1000 * true_seconds(whole) * (1 + 1e-9)


def test_a_network_that_is_measured_corrects_what_is_thought_of_its_neighbours(
    cifar, tmp_path, monkeypatch
):
    whole = cifar(base_channels=16)
    latency = fake_latency(whole, tmp_path, monkeypatch)
    latency.exponent = 1.6
    half, near = narrowed(whole, 8), narrowed(whole, 7)
    assert latency.correct(half)
    assert latency.milliseconds(half) == pytest.approx(1000 * true_seconds(half))
    assert latency.milliseconds(near) == pytest.approx(1000 * true_seconds(near), rel=0.02)
    assert not latency.correct(half)
    assert 'cannot be timed' not in str(latency) and 'to the power of' in str(latency)


def test_the_clock_is_asked_once_for_the_whole(cifar, tmp_path, monkeypatch):
    first = fake_latency(cifar(), tmp_path, monkeypatch).milliseconds(cifar())
    again = fake_latency(cifar(), tmp_path, monkeypatch)
    monkeypatch.setattr(again, 'run', None)
    assert again.milliseconds(cifar()) == first


def test_a_network_without_operations_has_no_latency(cifar, tmp_path):
    with pytest.raises(UserError, match='no operations'):
        NetworkLatency(
            cifar(), lambda _: Operations(), lambda _: lambda: torch.ones(1), fake_table(tmp_path)
        )
