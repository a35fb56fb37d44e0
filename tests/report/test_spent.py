"""What work took adds up, and what is unknown stays unknown."""

from hypothesis import given
from hypothesis import strategies as st

from rethink_det.report.spent import CPU, GPU, NOTHING, Spent, total

amounts = st.one_of(st.none(), st.integers(0, 2**60))
devices = st.one_of(st.none(), st.dictionaries(st.sampled_from([CPU, GPU]), st.integers(0, 9)))
words = st.lists(st.sampled_from('abc'), unique=True).map(tuple)
spents = st.builds(Spent, amounts, amounts, amounts, devices, words)


@given(spents)
def test_nothing_changes_nothing(spent):
    assert spent + NOTHING == NOTHING + spent == spent


@given(spents, spents)
def test_what_is_unknown_of_one_is_unknown_of_both(one, other):
    both = one + other
    for name in ('training', 'pruning', 'evaluation', 'device_s'):
        parts = getattr(one, name), getattr(other, name)
        assert (getattr(both, name) is None) == (None in parts)
    assert set(both.not_counted) == {*one.not_counted, *other.not_counted}


def test_it_adds_up_by_what_it_was_for():
    one = Spent(1, 20, 300, {GPU: 2.0}, ('a',))
    other = Spent(4, 50, 600, {GPU: 1.0, CPU: 8.0}, ('a', 'b'))
    assert one + other == Spent(5, 70, 900, {GPU: 3.0, CPU: 8.0}, ('a', 'b'))
    assert one.macs == 321
    assert Spent(1, None, 3).macs is None


def test_a_sum_needs_all_of_its_parts():
    assert total(1, 2) == 3
    assert total(0, 0) == total() == 0
    assert total(None, 2) is total(0, None) is None
