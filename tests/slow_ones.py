"""Parameters of which some take long: those run with the slow tests."""

import re
from collections.abc import Iterable

import pytest


def slow_where(pattern: str, values: Iterable[str]) -> list:
    """The values as parameters, marked ``slow`` where the pattern is found in them."""
    marks = {True: [pytest.mark.slow], False: []}
    return [pytest.param(one, marks=marks[bool(re.search(pattern, one))], id=one) for one in values]
