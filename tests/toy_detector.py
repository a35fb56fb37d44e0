"""A trained detector of coloured rectangles, in the work dir of its training, and its pictures."""

import runpy
import shutil

import pytest


def toy_detector(root, shared):
    """Writes ``work/`` and ``toy/{train,val}`` into a folder."""
    tools = shared / 'cases' / 'tools'
    if not tools.is_dir():
        pytest.skip(f'no trained detector: {tools} is not there')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        runpy.run_path(str(tools / 'toy.py'))['make']('toy')
    (root / 'work').mkdir()
    for name in ('toydet_cfg.py', 'toydet.pth'):
        shutil.copy(tools / name, root / 'work')
    return root
