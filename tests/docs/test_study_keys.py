"""The page of a study's keys is what the schema reads."""

from dataclasses import dataclass, field

import pytest

pytest.importorskip('griffe', reason='needs the extra docs')

from docs.generators import study_keys
from rethink_det.report.schema import keys, within
from rethink_det.study.plans import ClassificationPlan


@dataclass(frozen=True)
class Wider(ClassificationPlan):
    """The same and one more.

    Attributes:
        patience: How long it waits | in days.
    """

    patience: int | None = field(default=3, metadata=within(1, 5000))


@dataclass(frozen=True)
class Silent:
    """Does not say what ``speed`` is."""

    speed: float = 1.0


def test_every_key_stands_there_with_type_and_default():
    (page,) = study_keys.pages().values()
    for kind in study_keys.PARTS.values():
        for one in keys(kind):
            assert f'\n| `{one.name}` | `' in page
    assert '| `fine_tune_lr` | `float`, ≥ 1e-12, ≤ 1,000 | `0.001` | Its constant' in page
    assert '| `arm_plans`' not in page


def test_a_new_key_stands_there_by_itself():
    *old, new = study_keys.rows(Wider)
    assert len(old) == len(keys(ClassificationPlan))
    assert new == (
        '`patience`',
        '`int | None`, ≥ 1, ≤ 5,000',
        '`3`',
        'How long it waits | in days.',
    )
    line = study_keys.table(('a', 'b', 'c', 'd'), [new]).splitlines()[-1]
    assert '| `int | None`, ≥ 1' in line and 'waits \\| in days' in line


def test_a_key_that_is_not_explained_is_refused():
    with pytest.raises(ValueError, match='Silent: its docstring does not explain speed'):
        list(study_keys.rows(Silent))
