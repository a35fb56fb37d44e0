"""Runs of a group have the process to themselves: what they print, what they draw."""

import contextlib
import io
import itertools
import random
import sys
from functools import partial

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub

from rethink_det.training.together.group import Ended, run_together
from rethink_det.training.together.meeting import attended_here
from tests.training.together.test_meeting import arrival

NUMBERS = itertools.count()


def talk(seed, size):
    """Draws and prints between its steps; what it printed, and what it drew."""
    meeting, number = attended_here()
    torch.manual_seed(seed), np.random.seed(seed), random.seed(seed)
    drawn, told = [], io.StringIO()
    with contextlib.redirect_stdout(told):
        name = f'{__name__}-{next(NUMBERS)}'
        MessageHub.get_instance(name)
        for step in range(3):
            drawn += [torch.rand(()).item(), np.random.rand(), random.random()]
            print(number, step, MessageHub.get_current_instance().instance_name == name)
            meeting.step(number, arrival(number, size))
    return told.getvalue(), drawn


@pytest.mark.parametrize('seeds', [(0, 0), (0, 1, 2), (5,)])
def test_they_draw_and_print_as_alone(seeds):
    torch.manual_seed(7)
    stdout, first = sys.stdout, torch.get_rng_state()
    ended = run_together([partial(talk, seed, len(seeds)) for seed in seeds])
    assert sys.stdout is stdout and torch.equal(torch.get_rng_state(), first)
    for number, (one, seed) in enumerate(zip(ended, seeds, strict=True)):
        told, drawn = one.value
        assert told == ''.join(f'{number} {step} True\n' for step in range(3))
        assert drawn == run_together([partial(talk, seed, 1)])[0].value[1]


def test_nothing_is_a_group_too():
    assert run_together([]) == []


def test_whoever_ends_the_program_ends_a_run_alone():
    def leave():
        raise SystemExit(3)

    ended = run_together([leave, lambda: 1])
    assert ended[1] == Ended(1) and isinstance(ended[0].error, SystemExit)
    with pytest.raises(SystemExit):
        raise ended[0].error
