import pytest

import rethink_det  # noqa: F401  (installs the finder; before anything imports mmcv.ops)
from rethink_det import compat

compat.install()  # idempotent: these tests stand on the finder, whoever installs it


@pytest.fixture(scope='session')
def ext():
    """``mmcv._ext`` as this package supplies it."""
    import mmcv._ext as module

    if module.__spec__.origin != 'rethink_det.compat':
        pytest.skip('mmcv is installed with compiled operators here: ours are not in use')
    return module


@pytest.fixture(
    params=[
        'cpu',
        pytest.param('cuda', marks=pytest.mark.gpu),
    ]
)
def device(request):
    return request.param
