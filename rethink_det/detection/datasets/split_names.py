"""What the splits of a data set are called, by whatever tool."""

SPLITS = {'train': ('train',), 'val': ('val', 'valid', 'validation'), 'test': ('test',)}


def spelled(split: str) -> tuple[str, ...]:
    """The names of a split, in small letters, with a capital, and in capitals; of none, none."""
    forms = (str.lower, str.capitalize, str.upper)
    return tuple(form(name) for form in forms for name in SPLITS.get(split, ()))
