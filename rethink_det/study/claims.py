"""What a study settles before its runs: its primary comparison, and how small is small enough.

A comparison that is chosen after the results is chosen for them. So one of a study's is named in
its config, ``study.primary``, and tested first; the others are exploratory. ``study.margin`` is the
largest difference that does not matter, without which nothing is shown to be equivalent.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from rethink_det.arms import ARMS
from rethink_det.bounds import check_number
from rethink_det.errors import UserError, shown
from rethink_det.report.comparison import Comparison
from rethink_det.report.schema import keys, read_values
from rethink_det.report.statistics import METRICS

Trained = Mapping[tuple[str, str], Collection[str]]
"""Names of the arms that a study trains, by stage and model, in the order of its config."""
PRIMARY, MARGIN = 'study.primary', 'study.margin'


def primary_comparison(
    said: Any, trained: Trained, metric_of: Callable[[str, str], str]
) -> Comparison | None:
    """The comparison that a study names, or else the first that can be made.

    That is the first candidate of the table of arms that is trained, Scratch-B if it is, against
    its rival, of the first classifier; of a study without such a classifier, of the first
    detector.

    Args:
        said: ``study.primary``: any of the fields of a comparison; the others by default.
        trained: What there is to compare.
        metric_of: The metric by which a stage and model are compared if none is named.

    Returns:
        The comparison; None if nothing is named and nothing can be compared.

    Raises:
        UserError: Something in it is unknown or not trained; says what there is.
    """
    said = read_values(Comparison, said, PRIMARY, some=[one.name for one in keys(Comparison)])
    for stage, model in _places(said, trained):
        arms = trained[stage, model]
        arm: str = said.get('arm') or _first_candidate(stage, arms)
        baseline: str = said.get('baseline') or ARMS.rival(stage, arm, arms) or ''
        if arm in arms and baseline in arms and arm != baseline:
            metric = said.get('metric') or metric_of(stage, model)
            _check('metric', metric, METRICS[stage])
            return Comparison(stage, model, arm, baseline, metric)
    if said:
        raise UserError(_not_trained(said, trained))
    return None


def margins(said: Any, stages: Collection[str]) -> dict[str, float]:
    """The largest differences that do not matter, by metric, each in the metric's own unit.

    Args:
        said: ``study.margin``, in points (percent): a number for all metrics, or one by the name
            of each; None if the study says nothing.
        stages: Of the study.

    Raises:
        UserError: An unknown metric, or no number above 0.
    """
    known = {name: metric for stage in stages for name, metric in METRICS[stage].items()}
    if said is None:
        return {}
    points = said if isinstance(said, Mapping) else dict.fromkeys(known, said)
    for name, value in points.items():
        if name not in known:
            raise UserError(f'{MARGIN}: unknown metric {name!r}; valid are {", ".join(known)}.')
        if check_number(f'{MARGIN}: a number of points', value) <= 0:
            raise UserError(f'{MARGIN} must be above 0, got {shown(value)}.')
    return {name: value / known[name].scale for name, value in points.items()}


def _places(said: Mapping[str, Any], trained: Trained) -> list[tuple[str, str]]:
    """The stages and models that a primary comparison may be of."""
    stage = said.get('stage')
    if stage is not None:
        _check('stage', stage, dict.fromkeys(place[0] for place in trained))
    places = [place for place in trained if stage in (None, place[0])]
    model = said.get('model')
    if model is not None:
        _check('model', model, list(dict.fromkeys(name for _, name in places)))
    return [place for place in places if model in (None, place[1])]


def _check(key: str, value: Any, valid: Collection[str]) -> None:
    if value not in list(valid):
        raise UserError(f'{PRIMARY}: {key} {value!r} is none of {", ".join(valid)}.')


def _first_candidate(stage: str, arms: Collection[str]) -> str:
    return next((arm.name for arm in ARMS.candidates(stage) if arm.name in arms), '')


def _not_trained(said: Mapping[str, Any], trained: Trained) -> str:
    named = ' and '.join(f'{key}={said[key]!r}' for key in ('arm', 'baseline') if key in said)
    arms = [f'{"/".join(place)}: {", ".join(trained[place])}' for place in _places(said, trained)]
    return (
        f'{PRIMARY}: there are no two arms to compare{f" with {named}" if named else ""}; '
        f'trained are {"; ".join(arms) or "none"}.'
    )
