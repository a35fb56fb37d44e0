"""A type means the same bare, in full and as a class, wherever a config may have it."""

import ast
import re
from pathlib import Path

import pytest
from mmdet.models import FPN, ResNet
from mmengine.config import Config, ConfigDict
from mmengine.registry import DefaultScope

from rethink_det import registered as module
from rethink_det.architecture.backbone import pruned_backbone
from rethink_det.errors import UserError
from rethink_det.pruning import L1NormPruner, build_pruner
from rethink_det.registered import by_name, full_name, in_full, is_type, registered, scope_of
from rethink_det.registry import MODELS

PACKAGE = Path(module.__file__).parent
SCOPES = ('rethink_det', 'mmdet', 'mmengine', None)
FORMS = {'bare': 'PrunedBackbone', 'full': 'rethink_det.PrunedBackbone', 'class': pruned_backbone}


@pytest.fixture(params=SCOPES)
def scope(request):
    """Every default scope that a config may have."""
    with DefaultScope.overwrite_default_scope(request.param):
        yield request.param


@pytest.mark.parametrize('kind', FORMS.values(), ids=FORMS)
def test_what_is_this_packages_is_known_in_every_scope(kind, scope):
    assert registered(MODELS, kind) is pruned_backbone
    assert is_type({'type': kind}, 'rethink_det.PrunedBackbone')
    assert is_type(kind, ('mmdet.ResNet', 'rethink_det.PrunedBackbone'))
    assert not is_type(kind, 'mmdet.ResNet')
    assert full_name(MODELS, kind) == 'rethink_det.PrunedBackbone'


@pytest.mark.parametrize('kind', ['FPN', 'mmdet.FPN', 'mmdet.models.necks.FPN', FPN])
def test_what_is_mmdets_is_known_in_its_scope(kind):
    with DefaultScope.overwrite_default_scope('mmdet'):
        assert is_type({'type': kind}, 'mmdet.FPN')
        assert full_name(MODELS, kind) == 'mmdet.FPN'
        assert not is_type({'type': kind}, 'rethink_det.PrunedBackbone')
    with DefaultScope.overwrite_default_scope('mmengine'):
        assert is_type({'type': kind}, 'mmdet.FPN') is (kind != 'FPN')


@pytest.mark.parametrize('config', [{}, None, {'type': None}, {'type': 'FPNN'}, {'type': 'a.FPN'}])
def test_what_means_nothing_is_of_no_type(config, scope):
    assert not is_type(config, 'mmdet.FPN')
    assert not is_type(config, 'a.NoSuchThing')


@pytest.mark.parametrize('name', ['', '.', '..', '.registry', 'rethink_det.'])
def test_a_name_relative_to_a_package_is_none(name):
    assert registered(MODELS, name) is None
    with pytest.raises(UserError, match='valid are|known'):
        build_pruner(dict(type=name, ratios=0.5))


def test_a_class_of_no_registry_keeps_its_name():
    assert full_name(MODELS, int) == 'int'
    assert full_name(MODELS, 'NoSuchNet') == 'NoSuchNet'


def test_a_config_is_written_by_name():
    assert by_name(MODELS, dict(type=ResNet, depth=18)) == dict(type='mmdet.ResNet', depth=18)
    assert by_name(MODELS, dict(depth=18)) == dict(depth=18)


def test_the_scope_of_a_config_counts():
    for config, wanted in ((dict(default_scope='mmdet'), ResNet), ({}, None)):
        with scope_of(Config(config)):
            assert registered(MODELS, 'ResNet') is wanted
    with scope_of(Config(dict(default_scope=None)), 'mmdet'):
        assert registered(MODELS, 'ResNet') is ResNet


def test_a_copy_in_full_leaves_others_and_the_config_alone(scope):
    config = ConfigDict(
        type='mmdet.FasterRCNN',
        backbone=dict(type='PrunedBackbone', architecture='resnet56-a'),
        necks=[dict(type='FPN'), dict(type='Classifier')],
        anchors=(dict(type='TransferHook'),),
    )
    before = config.to_dict()
    copy = in_full(config, MODELS)
    assert config.to_dict() == before
    assert isinstance(copy.backbone, ConfigDict)
    assert copy.backbone.type == 'rethink_det.PrunedBackbone'
    assert [neck['type'] for neck in copy.necks] == ['FPN', 'rethink_det.Classifier']
    assert copy.anchors[0]['type'] == 'TransferHook'  # no model
    assert in_full(config).anchors[0]['type'] == 'rethink_det.TransferHook'


def test_what_the_scope_means_by_a_name_stays():
    evaluator = dict(type='CocoMetric')
    with DefaultScope.overwrite_default_scope('mmdet'):
        assert in_full([evaluator]) == [evaluator]
    with DefaultScope.overwrite_default_scope('mmengine'):
        assert in_full([evaluator]) == [dict(type='rethink_det.CocoMetric')]
        of_mmdet = dict(_scope_='mmdet', type='Evaluator', metrics=[evaluator])
        assert in_full(of_mmdet) == of_mmdet
        assert is_type(dict(_scope_='mmdet', type='FPN'), 'mmdet.FPN')


def test_an_unknown_pruner_is_refused_in_every_form():
    for kind in ('L1NormPruner', 'rethink_det.L1NormPruner', L1NormPruner):
        assert isinstance(build_pruner(dict(type=kind, ratios=0.5)), L1NormPruner)
    for kind in ('L2', 'mmdet.L1NormPruner', FPN, None):
        with pytest.raises(UserError, match='Unknown pruner .*; known are .*L1NormPruner'):
            build_pruner(dict(type=kind))
    with pytest.raises(UserError, match='L1NormPruner: .*rato'):
        build_pruner(dict(type=L1NormPruner, rato=0.5))


# -- nobody else builds or compares them -----------------------------------------------------


def compared(source):
    """Names of types that a module compares by itself."""
    full = re.compile(r'(rethink_det|mmdet|mmengine)\.([A-Z]\w*|$)')
    for node in ast.walk(ast.parse(source)):
        operands = []
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and getattr(node.func, 'attr', '') == 'removeprefix':
            operands = node.args
        for operand in operands:
            for part in getattr(operand, 'elts', [operand]):
                if isinstance(part, ast.Constant) and full.match(str(part.value)):
                    yield part.value


def built(source):
    """Registries that a module builds from by itself, from a config that it may change."""
    for node in ast.walk(ast.parse(source)):
        of = node.value if isinstance(node, ast.Attribute) and node.attr == 'build' else None
        if isinstance(of, ast.Name) and of.id.isupper():
            yield of.id


@pytest.mark.parametrize('own', [compared, built])
def test_every_module_asks_this_one(own):
    # The text of plain_modules goes into files that run without this package.
    others = {Path(module.__file__), PACKAGE / 'export' / 'plain_modules.py'}
    modules = [path for path in PACKAGE.rglob('*.py') if path not in others]
    assert len(modules) > 200
    places = {path.name: list(own(path.read_text(encoding='utf-8'))) for path in modules}
    assert {name: types for name, types in places.items() if types} == {}


@pytest.mark.parametrize(
    'source, types',
    [
        ("backbone['type'] == 'rethink_det.PrunedBackbone'", ['rethink_det.PrunedBackbone']),
        ("neck.get('type') in ('FPN', 'mmdet.FPN')", ['mmdet.FPN']),
        ("kind.removeprefix('rethink_det.') in HOOKS", ['rethink_det.']),
        ("is_type(neck, 'mmdet.FPN')", []),
        ("{'type': 'rethink_det.PrunedBackbone'}", []),
    ],
)
def test_a_comparison_is_noticed(source, types):
    assert list(compared(source)) == types


@pytest.mark.parametrize(
    'source, registries',
    [
        ('MODELS.build(model)', ['MODELS']),
        ('without_memory(partial(MODELS.build, model))', ['MODELS']),
        ('build(MODELS, model)', []),
        ('architecture.build()', []),
    ],
)
def test_a_build_is_noticed(source, registries):
    assert list(built(source)) == registries
