"""Sweeps: the same question asked of many networks, each in a process of its own.

What a network came to is a JSON file of its own in the sweep's folder, written when it is done: a
sweep that was ended goes on where it stopped.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rethink_det.datasets.progress_bar import progress
from rethink_det.errors import UserError
from rethink_det.files import save_json

ERROR = 'error'
"""Key of an outcome: why there is none."""

Outcome = Mapping[str, Any]
"""What a network came to."""


@dataclass(frozen=True)
class Sweep:
    """What is asked of each of many.

    Attributes:
        module: Is run for each, with the entry as JSON and the file to write as arguments.
        entries: By name, plain values each.
        folder: Where outcomes lie.
        timeout: Seconds for each.
    """

    module: str
    entries: Mapping[str, Any]
    folder: Path
    timeout: float = 900

    def file(self, name: str) -> Path:
        """Where the outcome of an entry lies."""
        return self.folder / f'{"".join(c if c.isalnum() else "-" for c in name)}.json'

    def outcome(self, name: str) -> Outcome | None:
        """What an entry came to; ``None`` if it is not done, or was another one then."""
        try:
            found = json.loads(self.file(name).read_text(encoding='utf-8'))
        except (OSError, ValueError):
            return None
        known = isinstance(found, dict) and found.get('entry') == self.entries[name]
        return found if known else None

    def run(self, workers: int = 1, again: bool = False) -> dict[str, Outcome]:
        """Do what is missing.

        Args:
            workers: How many at once.
            again: Whether those that failed are tried once more.

        Returns:
            What each came to, in the order of the entries.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        missing = [name for name in self.entries if self._is_missing(name, again)]
        with ThreadPoolExecutor(workers) as pool:
            for _ in progress(pool.map(self._do, missing), len(missing), 'networks'):
                pass
        found = {name: self.outcome(name) for name in self.entries}
        return {name: outcome for name, outcome in found.items() if outcome is not None}

    def _is_missing(self, name: str, again: bool) -> bool:
        outcome = self.outcome(name)
        return outcome is None or (again and ERROR in outcome)

    def _do(self, name: str) -> None:
        entry, file = self.entries[name], self.file(name)
        part = file.with_suffix('.part')
        command = [sys.executable, '-m', self.module, json.dumps(entry), str(part)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=self.timeout, check=False
            )
            outcome = _read(part, done)
        except subprocess.TimeoutExpired:
            outcome = {ERROR: f'not done within {self.timeout:g} s'}
        part.unlink(missing_ok=True)
        save_json({'entry': entry, **outcome}, file)


def _read(part: Path, done: subprocess.CompletedProcess) -> Outcome:
    try:
        found: Outcome = json.loads(part.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        if done.returncode < 0:
            return {ERROR: f'ended by signal {-done.returncode}: out of memory, perhaps'}
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        return {ERROR: f'exit status {done.returncode}: {"".join(last)}'}
    return found


def listed(file: Path) -> dict[str, Any]:
    """Entries that are their own names: the lines of a file that are no comments."""
    lines = file.read_text(encoding='utf-8').splitlines()
    return {line: line for line in lines if line and not line.startswith('#')}


def chosen(entries: Mapping[str, Any], wanted: Sequence[str]) -> dict[str, Any]:
    """The entries whose names have one of some words in them; all if there are none.

    Raises:
        UserError: A word is in no name.
    """
    for word in wanted:
        if not any(word in name for name in entries):
            raise UserError(f'{word!r} is in no name of the list; it has {", ".join(entries)}.')
    return {n: e for n, e in entries.items() if not wanted or any(w in n for w in wanted)}


def answer(question: Callable[[Any], Outcome], arguments: Sequence[str]) -> None:
    """In the process of one entry: ask, and write what came out.

    Args:
        question: Maps an entry to its outcome.
        arguments: The entry as JSON, and the file.
    """
    entry, file = arguments
    try:
        outcome = question(json.loads(entry))
    except UserError as error:
        outcome = {ERROR: str(error)}
    save_json(outcome, file)


def versions_of(outcomes: Mapping[str, Outcome]) -> str:
    """All software that the outcomes are of; of several versions each."""
    found: dict[str, set[str]] = {}
    for outcome in outcomes.values():
        for name, value in outcome.get('versions', {}).items():
            found.setdefault(name, set()).add(value)
    return '; '.join(f'{name} {" and ".join(sorted(all_of))}' for name, all_of in found.items())
