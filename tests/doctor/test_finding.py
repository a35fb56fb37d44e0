"""A check that fails is a finding, too."""

from rethink_det.doctor.finding import Finding, carefully


def test_what_a_check_answers_is_left_as_it_is():
    finding = Finding({'GPUs': 0})
    assert carefully('device', lambda: finding) is finding


def test_a_check_that_fails_says_how_and_what_was_not_examined():
    finding = carefully('device', lambda: 1 / 0)
    assert finding.facts == {'failed': 'ZeroDivisionError: division by zero'}
    (ability,) = finding.abilities
    assert (ability.what, ability.works) == ('examine device', False)
    assert not finding.essential_missing
