"""MMEngine finds what this package registers, whichever of the two is imported first."""

import importlib
import sys

import pytest
from mmengine import registry

import rethink_det
from tests.fresh_process import fresh

# A sampler: what its registry imports is quick.
CONFIG = """
custom_imports = dict(imports=['rethink_det'], allow_failed_imports=False)
sampler = dict(type='rethink_det.EpochSampler', dataset=[1, 2, 3])
"""
FIRST = {
    'this package': 'import rethink_det, mmengine.registry',
    'MMEngine': 'import mmengine.registry, rethink_det',
    'MMEngine alone': 'import mmengine.registry',
    'this registry': 'import rethink_det.registry, mmengine.registry',
}
KINDS = {
    'MODELS': 'CifarResNet',
    'DATASETS': 'ShapesCrops',
    'DATA_SAMPLERS': 'EpochSampler',
    'METRICS': 'Accuracy',
    'FUNCTIONS': 'batch_collate',
    'HOOKS': 'TransferHook',
    'LOOPS': 'FastEpochLoop',
    'OPTIM_WRAPPERS': 'BFloat16OptimWrapper',
}


@pytest.mark.parametrize('kind, name', KINDS.items())
def test_every_kind_is_found_under_the_packages_scope(kind, name):
    found = getattr(registry, kind).get(f'rethink_det.{name}')
    assert found.__name__ == name
    assert found.__module__.startswith('rethink_det.')
    assert getattr(registry, kind).get(name) is not found, 'without a scope it is nobody’s'


@pytest.mark.parametrize('first', FIRST)
def test_the_order_of_imports_does_not_matter(first):
    code = f"""
        {FIRST[first]}
        from mmengine.registry import MODELS
        with MODELS.switch_scope_and_registry('rethink_det') as current:
            from rethink_det import registry
            print(current is registry.MODELS)
        """
    assert fresh(code).out.split()[-1] == 'True'


@pytest.mark.parametrize('first', ['import rethink_det', ''])
def test_a_config_imports_the_package(first, tmp_path):
    (tmp_path / 'config.py').write_text(CONFIG)
    code = f"""
        {first}
        import sys
        from mmengine.config import Config
        from mmengine.registry import DATA_SAMPLERS
        config = Config.fromfile(sys.argv[1])
        assert 'rethink_det' in sys.modules
        print(type(DATA_SAMPLERS.build(config.sampler)))
        """
    assert 'epoch_sampler.EpochSampler' in fresh(code, tmp_path / 'config.py').out


SPAWNING = """
from multiprocessing import get_context
from mmengine.registry import MODELS

def scope():
    with MODELS.switch_scope_and_registry('rethink_det') as current:
        return current.scope

if __name__ == '__main__':
    import rethink_det
    with get_context('spawn').Pool(1) as pool:
        print(pool.apply(scope))
"""


def test_a_spawned_process_finds_it(tmp_path):
    script = tmp_path / 'spawning.py'
    script.write_text(SPAWNING)
    done = fresh('import runpy, sys; runpy.run_path(sys.argv[1], run_name="__main__")', script)
    assert done.out.split()[-1] == 'rethink_det'


def test_reloading_the_package_leaves_registries_and_finders():
    ours, finders = registry.MODELS.get('rethink_det.CifarResNet'), list(sys.meta_path)
    importlib.reload(rethink_det)
    assert registry.MODELS.get('rethink_det.CifarResNet') is ours
    assert sys.meta_path == finders


def test_a_name_that_nobody_registered_is_refused():
    with pytest.raises(KeyError, match='rethink_det.NoSuchSampler is not in the'):
        registry.DATA_SAMPLERS.build(dict(type='rethink_det.NoSuchSampler'))
