"""The finder answers for mmcv._ext alone, last, and only when somebody asks."""

import inspect
import subprocess
import sys
import textwrap

import pytest

from rethink_det import compat
from rethink_det.compat.finder import MmcvExtFinder
from rethink_det.errors import UserError


def run_python(code, *args):
    """Run ``code`` in a fresh interpreter; its stdout, or its stderr in the failure."""
    done = subprocess.run(
        [sys.executable, '-c', textwrap.dedent(code), *map(str, args)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_installing_is_idempotent_and_last():
    before = list(sys.meta_path)
    compat.install()
    assert sys.meta_path == before
    assert sum(isinstance(finder, MmcvExtFinder) for finder in before) == 1


def test_installing_imports_nothing():
    assert (
        run_python(
            """
            import sys
            from rethink_det import compat
            compat.install()
            print([name for name in ('mmcv', 'mmdet', 'torchvision') if name in sys.modules])
            """
        )
        == '[]'
    )


@pytest.mark.parametrize('name', ['mmcv', 'mmcv.ops', 'mmcv._ext.nms', 'mmcv._extra', '_ext'])
def test_answers_for_no_other_module(name):
    assert MmcvExtFinder().find_spec(name) is None


def test_compiled_operators_win(tmp_path):
    # A compiled mmcv has _ext.*.so in its package folder; the path finder treats the .py
    # of the same name alike.
    (tmp_path / '_ext.py').write_text("nms = 'compiled'")
    code = """
        import sys
        import rethink_det
        rethink_det.compat.install()
        import mmcv
        mmcv.__path__.insert(0, sys.argv[1])
        import mmcv._ext
        print(mmcv._ext.nms)
        """
    assert run_python(code, tmp_path) == 'compiled'


def test_broken_compiled_operators_are_not_hidden(tmp_path):
    (tmp_path / '_ext.py').write_text("raise ImportError('undefined symbol: c10')")
    code = """
        import sys
        import rethink_det
        rethink_det.compat.install()
        import mmcv
        mmcv.__path__.insert(0, sys.argv[1])
        try:
            import mmcv._ext
        except ImportError as error:
            print(error)
        """
    assert run_python(code, tmp_path) == 'undefined symbol: c10'


def test_every_operator_of_mmcv_imports(ext):
    import mmcv.ops

    assert mmcv.ops.nms_match is not None


@pytest.mark.parametrize(
    ('operator', 'remedy'),
    [
        ('roi_pool_forward', 'RoIAlign'),
        ('three_nn_forward', 'mim install mmcv'),
    ],
)
def test_missing_operator_refuses_when_called_not_before(ext, operator, remedy):
    assert hasattr(ext, operator)
    with pytest.raises(UserError, match=operator) as error:
        getattr(ext, operator)(1, iou_threshold=0.5)
    assert remedy in str(error.value)


def test_missing_operator_refuses_through_mmcv(ext):
    import torch
    from mmcv.ops import RoIPool

    with pytest.raises(UserError, match='roi_pool_forward'):
        RoIPool(7)(torch.zeros(1, 1, 4, 4), torch.tensor([[0.0, 0, 0, 1, 1]]))


@pytest.mark.parametrize('name', ['__path__', '__wrapped__', '_private'])
def test_private_names_are_no_operators(ext, name):
    with pytest.raises(AttributeError, match=name):
        getattr(ext, name)


def test_module_can_be_inspected(ext):
    assert {'nms', 'roi_align_forward'} <= dict(inspect.getmembers(ext)).keys()


def test_environment_report_still_works(ext):
    from mmcv.utils import collect_env

    assert collect_env()['MMCV Compiler'] == 'n/a'


def test_warns_if_mmdet_came_first(monkeypatch):
    others = [finder for finder in sys.meta_path if not isinstance(finder, MmcvExtFinder)]
    monkeypatch.setattr(sys, 'meta_path', others)
    monkeypatch.setitem(sys.modules, 'mmdet.models', sys)
    monkeypatch.delitem(sys.modules, 'mmcv._ext', raising=False)
    with pytest.warns(UserWarning, match='Import rethink_det first'):
        compat.install()
    assert isinstance(sys.meta_path[-1], MmcvExtFinder)
