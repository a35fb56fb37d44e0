"""The rooms of the package import in one direction only, and the front door stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / 'rethink_det'
ROOMS = (
    'errors', 'bounds', 'moved', 'files', 'packages', 'registry', 'layout', 'defaults',
    'registered', 'arm_table', 'arms', 'compat', 'architecture', 'report', 'convert', 'training',
    'latency', 'pruning', 'datasets', 'transfer', 'classification', 'segmentation', 'detection',
    'study', 'export', 'prediction', 'benchmark', 'doctor', 'cli',
)  # fmt: skip
STRANGERS = {'classification', 'segmentation', 'detection'}
OWNERS = {'mmdet': 'detection', 'mmseg': 'segmentation'}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
MODULES = sorted(PACKAGE.rglob('*.py'))


def imported(node):
    """Dotted names that an import statement brings in, the modules' own first."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, 'relative import'
        return [f'{node.module}.{alias.name}' for alias in node.names]
    return []


def own_room(name):
    """The room that an imported name belongs to; None for another package's."""
    package, _, rest = name.partition('.')
    room = rest.split('.')[0]
    return room if package == 'rethink_det' and room in ROOMS else None


def complaints(source, room):
    """What a module of that room imports although it must not, a line each."""
    tree = ast.parse(source)
    found = []
    for node in ast.walk(tree):
        for name in imported(node):
            other = own_room(name)
            if other and ROOMS.index(other) > ROOMS.index(room):
                found.append(f'{room} imports {name}, which stands above it')
            if other and other != room and {room, other} <= STRANGERS:
                found.append(f'{room} imports {name}: they never meet')
            owner = OWNERS.get(name.split('.')[0], room)
            if owner != room:
                found.append(f'{room} imports {name}, which belongs to {owner} alone')
    for function in (node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)):
        for node in ast.walk(function):
            found += [
                f'{name} is imported inside a function'
                for name in imported(node)
                if name.split('.')[0] == 'rethink_det'
            ]
    return found


def without_annotations(source):
    """A module without what only type checkers read: the front door names all and imports none."""
    tree = ast.parse(source)
    tree.body = [
        node
        for node in tree.body
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == 'TYPE_CHECKING')
    ]
    return ast.unparse(tree)


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix('.py')


@pytest.mark.parametrize('path', MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_imports_downwards_only(path):
    room, source = room_of(path), path.read_text()
    if room == '__init__':
        room, source = 'compat', without_annotations(source)  # what `import rethink_det` may cost
    assert room in ROOMS, f'a new room: give {room} its place in the order'
    assert complaints(source, room) == []


@pytest.mark.parametrize(
    'room, source',
    [
        ('pruning', 'from rethink_det.datasets import ShapesCrops'),
        ('pruning', 'from rethink_det import detection'),
        ('detection', 'from rethink_det.classification.arm_config import ARMS'),
        ('classification', 'import rethink_det.detection.transfer.adapt'),
        ('architecture', 'from rethink_det.training import Budget'),
        ('segmentation', 'from rethink_det.detection.wrapped import detector_of'),
        ('detection', 'import rethink_det.segmentation'),
        ('transfer', 'from rethink_det.detection.wrapped import detector_of'),
        ('study', 'from mmdet.apis import init_detector'),
        ('detection', 'from mmseg.evaluation import IoUMetric'),
        ('cli', 'def run():\n    from rethink_det.study import plan'),
        ('cli', 'class A:\n    async def run(self):\n        import rethink_det.files'),
    ],
)
def test_forbidden_import_is_noticed(room, source):
    assert complaints(source, room)


def test_package_loads_neither_mmdet_nor_matplotlib():
    code = (
        'import sys, rethink_det; '
        "print(sorted({'mmdet', 'matplotlib', 'ray'} & {n.split('.')[0] for n in sys.modules}))"
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'
