"""Command lines that are only read."""

import pytest

from rethink_det.cli import _options


@pytest.fixture
def read():
    """What a command line asks for."""
    return lambda line: _options(line.split())


@pytest.fixture
def misread(read, capsys):
    """Why a command line is refused."""

    def refused(line):
        with pytest.raises(SystemExit, match='2'):
            read(line)
        return capsys.readouterr().err

    return refused
