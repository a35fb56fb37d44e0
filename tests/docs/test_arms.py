"""The page of the arms is the table that everything asks."""

from dataclasses import replace

import pytest

pytest.importorskip('griffe', reason='needs the extra docs')

from docs.generators import arms
from rethink_det.arms import ARMS, CLASSIFICATION, Role
from rethink_det.errors import UserError


def test_every_arm_stands_there():
    (page,) = arms.pages().values()
    assert all(f'`{arm.name}`' in page and arm.meaning in page for arm in ARMS)
    assert '| **`scratch-b`** | weights drawn anew' in page and '| `rewind` | inherited' in page


def test_a_new_arm_stands_there_by_itself():
    first = ARMS.get(CLASSIFICATION, 'scratch-e')
    ARMS.register(replace(first, name='scratch-x', role=Role.CONTROL, meaning='drawn by dice'))
    try:
        assert '`scratch-x`** | drawn by dice' in arms.pages()[arms.PAGE]
    finally:
        ARMS.remove(CLASSIFICATION, 'scratch-x')
    with pytest.raises(UserError, match='scratch-x'):
        ARMS.get(CLASSIFICATION, 'scratch-x')
