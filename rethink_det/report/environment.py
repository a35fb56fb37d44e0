"""Where, when and by what the runs of a study were done: each keeps its own."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

NOT_RECORDED = 'not recorded'
"""What is shown of a run of before runs kept their environment."""
_NONE = 'none'


@dataclass(frozen=True)
class Environment:
    """Where, when and by what a run was done; of one that was broken off, its last attempt.

    Attributes:
        started: Date and time, ISO 8601 with the offset to UTC.
        command: What was typed, without folders of this machine.
        commit: Of the package's source, ``-dirty`` behind it if that was changed since; None
            where it was installed without its history.
        device: What the run had to calculate on.
        python: Its version.
        versions: Of the packages that a result depends on, by their names.
    """

    started: str | None = None
    command: str | None = None
    commit: str | None = None
    device: str | None = None
    python: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def texts(self) -> dict[str, str]:
        """All of it but the date, by name."""
        plain = {'device': self.device, 'python': self.python, 'commit': self.commit}
        plain['command'] = self.command
        return {**{name: text or _NONE for name, text in plain.items()}, **self.versions}


def merged(environments: Iterable[Environment | None]) -> dict[str, str]:
    """What the runs had in common, and where they differ which value how many had.

    Args:
        environments: One a run; None where the run kept none.

    Returns:
        Texts by name: ``{'python': '3.11.2', 'torch': '2.14.0 (3 runs); 2.15.0 (9 runs)', ...}``;
        empty if no run kept one.
    """
    told = list(environments)
    known = [one for one in told if one is not None]
    if not known:
        return {}
    texts = [None if one is None else one.texts for one in told]
    names = dict.fromkeys(name for one in known for name in one.texts)
    common = {
        name: _counted(None if one is None else one.get(name, _NONE) for one in texts)
        for name in names
    }
    return {**common, 'started': _period([None if one is None else one.started for one in told])}


def _counted(values: Iterable[str | None]) -> str:
    """The one value, or each with the number of its runs."""
    counts = Counter(NOT_RECORDED if value is None else value for value in values)
    if len(counts) == 1:
        return next(iter(counts))
    return '; '.join(f'{value} ({_runs(n)})' for value, n in sorted(counts.items()))


def _period(times: Sequence[str | None]) -> str:
    known = sorted(time for time in times if time is not None)
    if not known:
        return NOT_RECORDED
    lost = len(times) - len(known)
    period = ' to '.join(dict.fromkeys(minute(time) for time in (known[0], known[-1])))
    return f'{period}; {NOT_RECORDED} ({_runs(lost)})' if lost else period


def minute(time: str) -> str:
    """``2026-11-26 21:18 UTC`` of ``2026-11-26T21:18:03+00:00``; others as they are."""
    day, _, clock = time.partition('T')
    return f'{day} {clock[:5]} UTC' if clock.endswith('+00:00') else time


def _runs(count: int) -> str:
    return f'{count} run{"" if count == 1 else "s"}'
