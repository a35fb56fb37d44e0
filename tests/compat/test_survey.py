"""The survey of mmcv's operators: compiled, this package's, missing."""

import subprocess
import sys
import textwrap

import pytest

from rethink_det.compat import operators, survey
from rethink_det.errors import UserError


def survey_with(ext_source, tmp_path):
    """The survey in a fresh interpreter whose mmcv has an ``_ext`` of this source."""
    (tmp_path / '_ext.py').write_text(ext_source)
    code = """
        import sys
        import mmcv
        mmcv.__path__.insert(0, sys.argv[1])
        from rethink_det.compat import survey
        try:
            found = survey()
            print(found.compiled, found.supplied, len(found.missing) > 50)
        except ImportError as error:
            print(error)
        """
    done = subprocess.run(
        [sys.executable, '-c', textwrap.dedent(code), str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_supplied_are_the_operators_here_that_mmcv_asks_for(ext):
    own = [name for name in operators.__all__ if not name.startswith('get_compil')]
    assert survey().supplied == tuple(sorted(own))
    assert survey().compiled == ()


def test_missing_operators_refuse_when_called(ext):
    found = survey()
    assert not set(found.missing) & set(found.supplied)
    assert {'roi_pool_forward', 'three_nn_forward'} <= set(found.missing)
    for name in found.missing:
        with pytest.raises(UserError, match=name):
            getattr(ext, name)()


def test_compiled_operators_are_told_apart(tmp_path):
    # As in test_finder: a module in mmcv's folder stands for the compiled one.
    assert survey_with('nms = roi_align_forward = other = print', tmp_path) == (
        "('nms', 'roi_align_forward') () True"
    )


def test_compiled_operators_that_do_not_load_are_an_error(tmp_path):
    source = "raise ImportError('undefined symbol: c10')"
    assert survey_with(source, tmp_path) == 'undefined symbol: c10'
