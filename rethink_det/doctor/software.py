"""Versions, and which of the two lines of MMEngine, mmcv and mmdet is installed."""

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from rethink_det import __version__
from rethink_det.doctor.finding import Ability, Finding
from rethink_det.packages import COMPILED_MMCV, compiled_mmcv

PACKAGES = (
    'torch',
    'torchvision',
    'torch-pruning',
    'numpy',
    'scipy',
    'pycocotools',
    'hotcoco',
    'matplotlib',
    'ray',
)
LINES = {
    'onedl': ('onedl-mmengine', 'onedl-mmcv', 'onedl-mmdetection'),
    'openmmlab': ('mmengine', 'mmcv', 'mmdet'),
}
"""Distributions of each line: of MMEngine, mmcv and mmdet."""
_ALSO = {'mmcv': ('mmcv', 'mmcv-lite')}
INSTALL = "pip install 'rethink-det[onedl]' or, not both, pip install 'rethink-det[openmmlab]'"


def installed(packages: tuple[str, ...]) -> dict[str, str]:
    """Versions of those that are installed, by what their metadata say; nothing is imported."""
    versions = {}
    for package in packages:
        for name in _ALSO.get(package, (package,)):
            try:
                versions[name] = version(name)
            except PackageNotFoundError:
                continue
    return versions | (compiled_mmcv() if 'onedl-mmcv' in packages else {})


def check_versions() -> Finding:
    """Python, this package and what it stands on."""
    facts = {'python': platform.python_version(), 'rethink_det': __version__}
    facts |= dict.fromkeys(PACKAGES, 'not installed') | installed(PACKAGES)
    remedy = "pip install 'rethink-det[ray]'"
    ray = Ability('studies on a Ray cluster (--ray)', facts['ray'] != 'not installed', remedy)
    return Finding(facts, (ray,))


def check_line() -> Finding:
    """The line of MMEngine, mmcv and mmdet; essential."""
    versions = {line: installed(packages) for line, packages in LINES.items()}
    return judge_line(versions, has_pkg_resources=find_spec('pkg_resources') is not None)


def judge_line(versions: Mapping[str, Mapping[str, str]], has_pkg_resources: bool) -> Finding:
    """Whether what is there of each line makes one that works.

    Args:
        versions: By line, by distribution.
        has_pkg_resources: Whether the module can be imported.
    """
    complete = [line for line, parts in versions.items() if _is_complete(line, parts)]
    facts = {'line': complete[0] if len(complete) == 1 else 'none that is complete and alone'}
    facts |= {name: number for parts in versions.values() for name, number in parts.items()}
    if all(versions.values()):
        names = ' '.join(name for parts in versions.values() for name in parts)
        remedy = f'they overwrite each other; pip uninstall -y {names}, then {INSTALL}'
        problem = Ability('two lines at once', False, remedy)
        return Finding(facts, (problem,), essential_missing=not complete)
    if not complete:
        problem = Ability('anything', False, f'MMEngine, mmcv and mmdet belong together: {INSTALL}')
        return Finding(facts, (problem,), essential_missing=True)
    # mmengine 0.10.7 reads them through pkg_resources, without declaring it.
    readable = complete != ['openmmlab'] or has_pkg_resources
    remedy = "pip install 'setuptools<81', the last that has pkg_resources"
    configs = Ability("mmdet's own configs (mmdet::...)", readable, remedy)
    return Finding(facts, (configs, *_compiled_for(facts, installed(('torch',)))))


def _is_complete(line: str, parts: Mapping[str, str]) -> bool:
    """Whether each part of a line is there; a compiled mmcv is one as well."""
    named = {'onedl-mmcv' if COMPILED_MMCV.fullmatch(name) else name for name in parts}
    return len(named) == len(LINES[line])


def _compiled_for(facts: Mapping[str, str], torch: Mapping[str, str]) -> list[Ability]:
    """Whether a compiled mmcv was compiled for the torch that is here: another cannot load it."""
    found = []
    for name in facts:
        wheel = COMPILED_MMCV.fullmatch(name)
        if wheel:
            wanted = f'{wheel["major"]}.{wheel["minor"]}'
            fits = '.'.join(torch.get('torch', '').split('.')[:2]) == wanted
            remedy = f'it was compiled for torch {wanted}: pip uninstall -y {name}, then {INSTALL}'
            found.append(Ability(f'compiled operators of {name}', fits, remedy))
    return found
