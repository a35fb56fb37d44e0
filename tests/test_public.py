"""What stands in front of the package is there, comes late, and its examples run."""

import ast
import doctest
import inspect
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
import torch

import rethink_det
from rethink_det import Checkpoint, Provenance, Study, execute_study
from rethink_det.arms import ARMS
from rethink_det.classification.arm_config import classifier_architecture
from tests.fresh_process import fresh
from tests.tiny_detector import write_mask_rcnn

HOMES = rethink_det._HOMES

PACKAGE = Path(rethink_det.__file__).parent
ROOMS = sorted(
    'rethink_det.' + path.parent.relative_to(PACKAGE).as_posix().replace('/', '.')
    for path in PACKAGE.glob('*/__init__.py')
)
STUDY = """
study = dict(
    seeds=[0],
    classification=dict(
        config='classifier.py',
        pruner=dict(type='L1NormPruner', ratios=0.5),
        arms=['fine-tune', 'scratch-e'],
        arm_settings=dict(fine_tune_epochs=1),
    ),
)
"""


@pytest.fixture(scope='module')
def detector(tmp_path_factory):
    """The folder of a detector with its data."""
    folder = tmp_path_factory.mktemp('detector')
    config, _ = write_mask_rcnn(folder)
    config.dump(folder / 'config.py')
    return folder


@pytest.fixture
def desk(tmp_path, tiny_config, detector, monkeypatch):
    """A folder to work in: a classifier's config, its checkpoint, a study of it."""
    tiny_config(epochs=1).dump(tmp_path / 'classifier.py')
    (tmp_path / 'study.py').write_text(STUDY)
    architecture = classifier_architecture(tiny_config())
    Checkpoint(
        state_dict=architecture.build_network().state_dict(),
        architecture=architecture.to_dict(),
        provenance=replace(Provenance.unknown(), arm=ARMS.reference('classification').name, seed=1),
        input_convention=None,
    ).write(tmp_path / 'trained.pth')
    (tmp_path / 'detector').symlink_to(detector)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def example_of(name):
    """The example in the docstring of a public name."""
    value = getattr(rethink_det, name)
    parser, text = doctest.DocTestParser(), inspect.getdoc(value)
    return parser.get_doctest(text, {}, name, inspect.getsourcefile(value), None)


@pytest.mark.parametrize('name', HOMES)
def test_an_example_is_short_and_true(name, desk):
    torch.manual_seed(0)
    example = example_of(name)
    assert 1 <= sum(len(part.source.splitlines()) for part in example.examples) <= 10
    if "'work'" in example.docstring and name != 'execute_study':
        execute_study(Study.load('study.py'), 'work')
    told = []
    outcome = doctest.DocTestRunner().run(example, out=told.append)
    assert outcome.failed == 0, ''.join(told)


def test_an_example_that_is_wrong_is_noticed(desk):
    example = doctest.DocTestParser().get_doctest('>>> 1 + 1\n3\n', {}, 'wrong', None, None)
    assert doctest.DocTestRunner().run(example, out=lambda text: None).failed == 1


@pytest.mark.parametrize('name', HOMES)
def test_a_name_is_that_of_its_home(name):
    assert getattr(rethink_det, name) is getattr(import_module(HOMES[name]), name)


@pytest.mark.parametrize('room', ROOMS)
def test_a_room_says_what_is_public_in_it(room):
    module = import_module(room)
    assert module.__doc__ and module.__all__
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        assert hasattr(module, name) or import_module(f'{room}.{name}')


def test_type_checkers_read_the_same_names_and_homes():
    tree = ast.parse((PACKAGE / '__init__.py').read_text())
    (block,) = (
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == 'TYPE_CHECKING'
    )
    read = {alias.name: node.module for node in block.body for alias in node.names}
    assert read == {**HOMES, 'registry': 'rethink_det'}
    assert set(rethink_det.__all__) == {*read, 'UserError', '__version__'}


def test_no_name_is_that_of_a_room():
    rooms = {path.stem for path in PACKAGE.iterdir()} - {'registry'}
    assert not rooms & set(HOMES), 'importing the room would hide it'


def test_names_are_listed_before_they_are_imported():
    code = """
        import rethink_det, sys
        assert set(rethink_det.__all__) <= set(dir(rethink_det))
        assert 'torch' not in sys.modules
        print(rethink_det.StudyResults, rethink_det.registry.SCOPE)
        """
    assert fresh(code).out.split()[-1] == 'rethink_det'


def test_a_name_that_is_none_is_refused():
    with pytest.raises(AttributeError, match="'rethink_det' has no attribute 'prune_everything'"):
        _ = rethink_det.prune_everything
