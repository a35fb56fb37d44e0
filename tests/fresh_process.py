"""Code in a process of its own, and what that process had to import for it."""

import json
import subprocess
import sys
from textwrap import dedent
from typing import NamedTuple

_TELL = """
import atexit, json, sys
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
"""


class Fresh(NamedTuple):
    """What the code printed, and the modules that were loaded at its end."""

    out: str
    modules: list[str]

    @property
    def packages(self) -> set[str]:
        """The top-level names of the modules."""
        return {name.partition('.')[0] for name in self.modules}


def fresh(code: str, *arguments: object) -> Fresh:
    """Run code in a fresh interpreter, with ``arguments`` in ``sys.argv``."""
    command = [sys.executable, '-c', _TELL + dedent(code), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return Fresh(done.stdout, json.loads(done.stderr.splitlines()[-1]))
