"""All that a run's result follows from: the run's identity is the digest of it."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rethink_det.files import plain, save_json
from rethink_det.layout import RECIPE
from rethink_det.report.schema import read, read_file
from rethink_det.study.data_content import data_content
from rethink_det.study.stages import Stage

FORMAT = 'rethink_det.run_recipe'
VERSION = 1
PLACES = ('work_dir',)
"""Keys of a config that say where a run is and nothing of what comes out."""
CHANGED = 'such runs come out differently since, see CHANGELOG.md'
"""What another version of a stage means."""
LONGEST = 60
"""Characters of a value that is shown."""


@dataclass(frozen=True)
class Recipe:
    """What a run is made from, free of folders.

    Two runs of the same recipe have the same result, wherever they are.

    Attributes:
        config: The resolved config; files of other runs stand in it by their digests.
        settings: What the stage is told besides, but for files.
        sources: Digests of what it builds on, by name.
        version: Of what the stage does.
        data: What its data's files hold, see :mod:`.data_content`; None of runs of before.
    """

    config: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str | None] = field(default_factory=dict)
    version: int = 1
    data: Mapping[str, Mapping[str, str]] | None = None

    @classmethod
    def of(cls, stage: Stage, config: Config) -> 'Recipe':
        """The recipe of a stage whose resolved config is ``config``."""
        names = {
            str(parent.place / file): f'{what} {parent.digest}'
            for parent in stage.parents.values()
            for what, file in parent.files.items()
        }
        content, sources = renamed(without_place(config.to_dict()), names), stage.sources
        settings = {key: one for key, one in stage.settings.items() if key not in sources}
        data = data_content(config, tuple(names)) if stage.looks_at_data else {}
        return cls(content, plain(settings), sources, stage.version, data)

    @cached_property
    def digest(self) -> str:
        """Of all of it; 64 hex digits."""
        content = asdict(self)
        if not self.data:  # as it was before data counted
            del content['data']
        text = json.dumps(content, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def differences(self, earlier: 'Recipe') -> list[str]:
        """What is not as in an earlier one, ``'train_cfg.max_epochs: 2 -> 3'``.

        Data counts that both know: a run of before told nothing of it, and its folder may be gone.
        """
        versions = differences(earlier.version, self.version, 'version')
        return [
            *(f'{line} ({CHANGED})' for line in versions),
            *self._other_data(earlier.data or {}),
            *differences(earlier.sources, self.sources, 'sources'),
            *differences(earlier.settings, self.settings, 'settings'),
            *differences(earlier.config, self.config),
        ]

    def _other_data(self, earlier: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
        for key, content in (self.data or {}).items():
            for what in sorted(content.keys() & earlier.get(key, {}).keys()):
                yield from differences(earlier[key][what], content[what], f'data of {key}.{what}')

    def write(self, folder: Path) -> None:
        """Write it into a run's folder."""
        save_json({'format': FORMAT, 'version': VERSION, 'recipe': asdict(self)}, folder / RECIPE)

    @classmethod
    def read(cls, folder: Path) -> 'Recipe':
        """The recipe in a run's folder.

        Raises:
            FileNotFoundError: There is none.
            UserError: It is damaged, or not one of these.
        """
        path, remedy = folder / RECIPE, 'delete the folder, and the study does this run again'
        content = read_file(path, FORMAT, VERSION, remedy)
        return read(cls, content.get('recipe'), str(path), remedy)


def without_place(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config as plain values, but for where its run is."""
    return plain({key: value for key, value in config.items() if key not in PLACES})


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Plain values with other names for files in all their texts."""
    if isinstance(value, Mapping):
        return {key: renamed(one, names) for key, one in value.items()}
    if isinstance(value, list):
        return [renamed(one, names) for one in value]
    if isinstance(value, str):
        for file, name in names.items():
            value = value.replace(file, name)
    return value


def differences(old: Any, new: Any, key: str = '') -> Iterator[str]:
    """Where two plain values are not alike, a line each."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            inner = f'{key}.{name}' if key else name
            yield from differences(old.get(name, _NOTHING), new.get(name, _NOTHING), inner)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differences(one, other, f'{key}.{place}')
    elif old != new:
        yield f'{key}: {_short(old)} -> {_short(new)}'


_NOTHING = object()


def _short(value: Any) -> str:
    text = 'nothing' if value is _NOTHING else repr(value)
    return text if len(text) <= LONGEST else f'{text[: LONGEST - 1]}…'
