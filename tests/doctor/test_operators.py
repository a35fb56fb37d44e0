"""Whose mmcv's operators are, and what to do where they do not load."""

import sys

from rethink_det.doctor.operators import check_operators


def test_compiled_operators_that_do_not_load_are_told(monkeypatch):
    monkeypatch.setitem(sys.modules, 'mmcv._ext', None)  # its import fails
    found = check_operators()
    assert 'mmcv._ext' in found.facts['failed']
    assert not found.abilities[0].works
    assert 'mim install mmcv' in found.abilities[0].remedy
