"""One module knows the keys of a checkpoint: no other reads or writes them as strings."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / 'rethink_det'
OWNERS = {
    'architecture/checkpoint.py',
    'architecture/provenance.py',
    'architecture/input_convention.py',
}
ANYWHERE = {'meta', 'provenance', 'input_convention', 'parent_digest', 'config_digest'}
"""Keys that nothing else has."""
OF_A_CHECKPOINT = {'architecture', 'masks', 'initial', 'state_dict', *ANYWHERE}
"""Keys that other dictionaries have, too."""
CHECKPOINTS = {'checkpoint', 'meta', 'saved', 'loaded', 'content', 'trained', 'pruned', 'parent'}
"""What a dictionary is called that is a checkpoint or its meta."""
FOREIGN = {('convert/mmrazor.py', 'meta')}
"""Keys of other tools' files."""
METHODS = {'get', 'pop', 'setdefault'}


def accesses(tree):
    """Every ``thing['key']`` and ``thing.get('key')``: the thing and the key."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            yield node.value, node.slice.value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            key = node.args[0]
            if node.func.attr in METHODS and isinstance(key, ast.Constant):
                yield node.func.value, key.value


def is_checkpoint(thing):
    """Whether something is named like a checkpoint, or comes out of one."""
    name = getattr(thing, 'id', None) or getattr(thing, 'attr', None)
    inner = [key for _, key in accesses(thing)]
    return name in CHECKPOINTS or bool(ANYWHERE & set(inner))


def known_keys(source):
    """The keys of a checkpoint that a module uses."""
    pairs = list(accesses(ast.parse(source)))
    return {key for _, key in pairs if key in ANYWHERE} | {
        key for thing, key in pairs if key in OF_A_CHECKPOINT and is_checkpoint(thing)
    }


def test_no_other_module_knows_a_key():
    files = {str(path.relative_to(PACKAGE)): path for path in PACKAGE.rglob('*.py')}
    strangers = {
        (name, key)
        for name, path in files.items()
        if name not in OWNERS
        for key in known_keys(path.read_text())
    }
    assert strangers - FOREIGN == set()
    assert set(files) > OWNERS


@pytest.mark.parametrize(
    'source, key',
    [
        ("checkpoint['meta']['provenance'].get('arm')", 'provenance'),
        ("(checkpoint.get('meta') or {}).get('architecture')", 'architecture'),
        ("meta.setdefault('provenance', {})['seed'] = 1", 'provenance'),
        ("x = saved['state_dict']", 'state_dict'),
        ("self.checkpoint['masks']", 'masks'),
    ],
)
def test_a_key_that_is_used_is_noticed(source, key):
    assert key in known_keys(source)


@pytest.mark.parametrize('source', ["backbone['architecture']", "prediction.get('masks')"])
def test_keys_of_other_dictionaries_are_their_own(source):
    assert known_keys(source) == set()
