"""One module owns the names of what lies in a work dir: nobody else writes them down."""

import ast
import re
from pathlib import Path

import pytest

from rethink_det import layout

PACKAGE = Path(layout.__file__).parent
NAMES = {
    name: value for name, value in vars(layout).items() if name.isupper() and isinstance(value, str)
}
FILES = [name for name in NAMES.values() if '.' in name]
FOLDERS = [name for name in NAMES.values() if '.' not in name]
ANY_FILE = re.compile(rf'(?<![\w.-])({"|".join(map(re.escape, FILES))})(?![\w-])')
JOINS = ('Path', 'PurePath', 'join', 'joinpath', 'with_name')


def docstrings(tree):
    """The strings that stand alone: docstrings of modules, classes, functions and constants."""
    return {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}


def joined(tree):
    """The strings that become a part of a path: ``folder / 'runs'``, ``Path('runs')``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            yield from (node.left, node.right)
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
            if getattr(called, 'id', called) in JOINS:
                yield from node.args


def known_by(source):
    """Names of files and folders of a work dir that a module knows by itself."""
    tree = ast.parse(source)
    outside = docstrings(tree)
    strings = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if id(node) not in outside
    ]
    found = {name for node in strings for name in ANY_FILE.findall(node.value)}
    paths = {id(part) for part in joined(tree)}
    for node in strings:
        folder, slash, _ = node.value.lstrip('(').partition('/')
        if folder in FOLDERS and (slash or id(node) in paths):
            found.add(folder)
    return found


def test_every_module_asks_the_layout():
    modules = [path for path in PACKAGE.rglob('*.py') if path != Path(layout.__file__)]
    assert len(modules) > 200
    knowing = {path.name: known_by(path.read_text(encoding='utf-8')) for path in modules}
    assert {module: names for module, names in knowing.items() if names} == {}


@pytest.mark.parametrize(
    'source, names',
    [
        ("save(folder / 'result.json')", {'result.json'}),
        ("print(f'see {folder}/console.log')", {'console.log'}),
        ("open('architecture.json.bak')", {'architecture.json'}),
        ("Path('runs', key)", {'runs'}),
        ("os.path.join(folder, 'plots')", {'plots'}),
        ("f'plots/{name}.png'", {'plots'}),
        ("work_dir / 'runs'", {'runs'}),
        ("content['runs']", set()),
        ("'my-result.json', 'results.jsonl'", set()),
        ("def f():\n    '''Writes result.json into runs/.'''", set()),
    ],
)
def test_a_name_of_the_layout_is_noticed(source, names):
    assert known_by(source) == names


def test_every_name_is_another_and_says_what_it_is():
    assert len(set(NAMES.values())) == len(NAMES)
    lines = Path(layout.__file__).read_text(encoding='utf-8').splitlines()
    assigned = [number for number, line in enumerate(lines) if re.match(r'[A-Z_, ]+ = ', line)]
    assert len(assigned) >= len(NAMES) - 2  # the three files of the report share a docstring
    assert all(lines[number + 1].startswith('"""') for number in assigned)


def test_a_run_and_a_plot_have_their_place_in_the_folder_of_the_study():
    run = layout.run_folder('classification/scratch-e-seed0', '0123456789abcdef')
    assert run.as_posix() == 'runs/classification/scratch-e-seed0-01234567'
    assert layout.plot_file('detection', 'arms').as_posix() == 'plots/detection_arms.png'
