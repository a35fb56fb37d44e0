"""Large counts for people: three digits and a prefix."""

from dataclasses import dataclass

PREFIXES = ((18, 'E'), (15, 'P'), (12, 'T'), (9, 'G'), (6, 'M'), (3, 'k'))


@dataclass(frozen=True)
class Scale:
    """A unit for large counts: value / factor is shown with ``prefix``."""

    factor: float
    prefix: str


def scale_of(largest: float) -> Scale:
    """The prefix (k, M, G, T, P, E) that brings ``largest`` between 1 and 1000."""
    for power, prefix in PREFIXES:
        if abs(largest) >= 10**power:
            return Scale(10.0**power, prefix)
    return Scale(1.0, '')


def count(value: float | None) -> str:
    """Three digits and a prefix: ``11.2 M``; a dash for none."""
    if value is None:
        return '–'
    scale = scale_of(value)
    shown = value / scale.factor
    digits = 0 if shown >= 100 or not scale.prefix else 1 if shown >= 10 else 2
    return f'{shown:.{digits}f} {scale.prefix}'.strip()
