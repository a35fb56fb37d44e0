"""The studies of arXiv 1810.05270's tables: recipes, budgets, and the README that lists them."""

import re
import shlex
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from rethink_det.architecture import Cut, PrunedArchitecture
from rethink_det.arms import ARMS, CLASSIFICATION
from rethink_det.classification.arm_config import ArmSettings, arm_config, classifier_architecture
from rethink_det.cli import _parser
from rethink_det.pruning import build_pruner
from rethink_det.report.run_result import Reference
from rethink_det.study.config import Study
from rethink_det.study.graph import runs_of
from rethink_det.study.names import find_study, variants_in
from rethink_det.study.plans import ClassificationPlan
from rethink_det.training.config import load_config
from rethink_det.training.hooks.soft_filter import num_zero
from tests.slow_ones import slow_where

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
PAPER = CONFIGS / 'studies' / 'paper'
ALL = sorted(path.stem for path in PAPER.glob('*.py'))
(DETECTION,) = (name for name in ALL if name.startswith('voc_'))
README = (PAPER / 'README.md').read_text()
ROWS = dict(
    re.findall(r'^\|.*?\| `rethink-det study paper/(\S+)` \|([^|]*)\|', README, re.MULTILINE)
)
CLASSIFIERS = sorted(set(ROWS) - {DETECTION})
COMMANDS = re.findall(r'(?:^|(?<=`))rethink-det [^`\n]*', README.replace('\\\n', ' '), re.MULTILINE)

# Epochs of Scratch-B, and milestones, or the step of the learning rate.
SCRATCH_B = {
    'cifar10_vgg16_l1norm-a': (243, [121, 182]),
    'cifar10_resnet56_l1norm-a': (178, [89, 133]),
    'cifar10_resnet56_l1norm-b': (220, [110, 165]),
    'cifar10_resnet110_l1norm-a': (190, [95, 142]),
    'cifar10_resnet110_l1norm-b': (260, [130, 195]),
    'imagenet_resnet34_l1norm-a': (106, 35),
    'imagenet_resnet34_l1norm-b': (118, 39),
    'imagenet_vgg16_thinet-conv': (180, 60),
    'imagenet_vgg16_thinet-gap': (180, 60),
    'imagenet_vgg16_thinet-tiny': (180, 60),
    'imagenet_resnet50_thinet-30': (180, 60),
    'imagenet_resnet50_thinet-50': (180, 60),
    'imagenet_resnet50_thinet-70': (141, 47),
    'imagenet_vgg16_regression-5x': (180, 60),
    'imagenet_resnet50_regression-2x': (134, 44),  # the authors' README says 132, their code 134
    'imagenet_preact-resnet50_sparse-structure-41': (117, 35),
    'imagenet_preact-resnet50_sparse-structure-32': (145, 43),
    'imagenet_preact-resnet50_sparse-structure-26': (179, 53),
}

# Parameters of the parents, measured on the authors' networks.
PARENTS = {
    'vgg16_l1norm_cifar10': 14_987_722,
    'resnet56_l1norm_cifar10': 853_018,
    'resnet110_l1norm_cifar10': 1_727_962,
    'vgg19_slimming_cifar10': 20_035_018,
    'vgg19_slimming_cifar100': 20_081_188,
    'preresnet164_slimming_cifar10': 1_703_258,
    'preresnet164_slimming_cifar100': 1_726_388,
    'densenet40_slimming_cifar10': 1_059_298,
    'densenet40_slimming_cifar100': 1_100_428,
    'densenet40_magnitude_cifar10': 1_059_298,
    'vgg19_magnitude_cifar10': 20_040_522,
    'vgg16_magnitude_cifar10': 14_728_266,
    'preresnet110_magnitude_cifar10': 1_146_842,
    'preresnet110_magnitude_cifar100': 1_169_972,
    'resnet34_imagenet': 21_797_672,
    'resnet50_imagenet': 25_557_032,
    'vgg16_imagenet': 138_357_544,
    'vgg16-bn_imagenet': 138_365_992,
    'vgg11-bn_slimming_imagenet': 132_885_224,
}

# Epochs, learning rate, weight decay, Nesterov, batch; then where the rate changes.
RECIPES = {
    'vgg16_l1norm_cifar10': (160, 0.1, 1e-4, False, 64, [[80, 120]]),
    'densenet40_slimming_cifar100': (160, 0.1, 1e-4, False, 64, [[80, 120]]),
    'vgg19_magnitude_cifar10': (160, 0.1, 1e-4, False, 64, [[80, 120]]),
    'resnet20_soft-filter_cifar100': (200, 0.01, 5e-4, True, 128, [[1], [60, 120, 160]]),
    'resnet34_imagenet': (90, 0.1, 1e-4, False, 256, [30]),
    'vgg16_imagenet': (90, 0.01, 1e-4, False, 256, [30]),
    'vgg16-bn_imagenet': (90, 0.1, 1e-4, False, 256, [30]),
    'vgg11-bn_slimming_imagenet': (90, 0.1, 1e-4, False, 256, [30]),
    'preact-resnet50_imagenet': (100, 0.1, 1e-4, False, 256, [30]),
}

SPARSITY = {'vgg19': 1e-4, 'preresnet164': 1e-5, 'densenet40': 1e-5, 'vgg11-bn': 1e-5}
CIFAR100 = sorted(p.stem for p in (CONFIGS / 'classification').glob('*_cifar100.py'))


@cache
def whole(file) -> Study:
    return Study.load(file)


def study(row) -> Study:
    file, variants = find_study(f'paper/{row}')
    return whole(file).restricted(variants) if variants else whole(file)


def plan_of(row) -> ClassificationPlan:
    """What a row says of its classifiers."""
    plan = study(row).classification
    (variant,) = plan.variant_names
    return plan.of(variant)


@cache
def parent(name) -> Config:
    return load_config(CONFIGS / 'classification' / f'{name}.py')


def drops(config) -> list:
    return [s.get('milestones', s.get('step_size')) for s in config.param_scheduler]


def build(config):
    with torch.device('meta'), DefaultScope.overwrite_default_scope(config.default_scope):
        return MODELS.build(config.model)  # no memory for a hundred million weights


def scratch_b(plan, architecture=None) -> Config:
    architecture = architecture or plan.architecture or plan.pruner['target']
    config, settings = load_config(plan.config, plan.options), ArmSettings(**plan.arm_settings)
    with torch.device('meta'):
        return arm_config(
            config, ARMS.get(CLASSIFICATION, 'scratch-b'), settings, architecture, 'pruned.pth'
        )


@pytest.mark.parametrize('name', slow_where('resnet110|imagenet_resnet50', SCRATCH_B))
def test_scratch_b_has_the_published_budget(name):
    config = scratch_b(plan_of(name))
    assert (config.train_cfg.max_epochs, *drops(config)) == SCRATCH_B[name]


@pytest.mark.parametrize(
    'keep, epochs, milestones',
    [(90, (435, 436), [[1], [65, 130, 174]]), (70, (550,), [[1], [82, 165, 220]])],
)
def test_soft_filter_scratch_b_stretches_400_epochs_and_the_drops_of_200(
    keep, epochs, milestones, tmp_path
):
    plan = plan_of(f'cifar10_resnet56_soft-filter-keep{keep}')
    base = classifier_architecture(parent('resnet56_soft-filter_cifar10'))
    masks = {}  # as the authors' code counts: what a removed filter fed is still there
    for name, module in base.build_network().named_modules():
        if isinstance(module, torch.nn.Conv2d):
            mask = masks[f'{name}.weight'] = torch.ones_like(module.weight, dtype=torch.bool)
            mask[: num_zero(module.out_channels, keep / 100)] = False
    base.after(Cut(masks=masks)).save(tmp_path / 'masked.json')
    config = scratch_b(plan, tmp_path / 'masked.json')
    assert config.train_cfg.max_epochs in epochs
    assert drops(config) == milestones


@pytest.mark.parametrize('name', CLASSIFIERS)
def test_runs_and_fine_tuning_are_the_papers(name):
    dataset, _, method = name.split('_')[:3]
    seeds = {run.seed for run in runs_of(study(name))}
    assert seeds == ({0, 1, 2} if dataset == 'imagenet' else {0, 1, 2, 3, 4})
    plan = plan_of(name)
    settings = ArmSettings(**plan.arm_settings)
    kind = method.partition('-')[0]
    expected = {'slimming': 5, 'magnitude': 10}.get(kind, 20) if dataset == 'imagenet' else 40
    assert (settings.fine_tune_epochs, settings.fine_tune_lr) == (expected, 0.001)
    capped = dataset == 'imagenet' and kind in ('l1norm', 'thinet', 'regression')
    assert settings.scratch_b_cap == (2 if capped else None)
    assert settings.scratch_b_epochs == (400 if kind == 'soft' else None)
    assert set(plan.reference) <= set(plan.arms)


@pytest.mark.parametrize('name', [n for n in CLASSIFIERS if 'l1norm' in n or n.endswith('_pruner')])
def test_the_target_is_cut_from_the_parent(name):
    plan = plan_of(name)
    with torch.device('meta'):
        own = classifier_architecture(load_config(plan.config))
    assert own.widths == PrunedArchitecture.load(plan.pruner['target']).widths


@pytest.mark.parametrize('name', PARENTS)
def test_parent_is_the_published_network(name):
    assert sum(p.numel() for p in build(parent(name)).parameters()) == PARENTS[name]


@pytest.mark.parametrize(
    'name',
    slow_where(
        'resnet110|_resnet50|preact',
        [
            *(name for name in SCRATCH_B if not name.endswith(('-gap', '-tiny'))),
            'imagenet_vgg16_thinet-gap',
            'imagenet_vgg16_thinet-tiny',
        ],
    ),
)
def test_the_published_head_is_trained(name):
    config = scratch_b(plan_of(name))
    architecture = PrunedArchitecture.load(config.model.backbone.architecture)
    head = config.model.get('head') or architecture.head
    assert replace(architecture, head=head) == architecture


@pytest.mark.parametrize(
    'name',
    [
        *(name for name in SCRATCH_B if re.search('resnet34|thinet-.0', name)),
        'imagenet_resnet50_regression-2x',
    ],
)
def test_residual_branches_do_not_start_at_zero(name):
    plan = plan_of(name)
    trained = PrunedArchitecture.load(plan.architecture or plan.pruner['target'])
    for backbone in (load_config(plan.config).model.backbone, trained.backbone):
        assert backbone['zero_init_residual'] is False


@pytest.mark.parametrize('name', RECIPES)
def test_recipe_is_the_published_one(name):
    config = parent(name)
    epochs, lr, decay, nesterov, batch, changes = RECIPES[name]
    optimizer = config.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.lr, optimizer.momentum) == ('SGD', lr, 0.9)
    assert (optimizer.weight_decay, optimizer.get('nesterov', False)) == (decay, nesterov)
    assert (config.train_cfg.max_epochs, config.train_dataloader.batch_size) == (epochs, batch)
    assert drops(config) == changes


@pytest.mark.parametrize('name', [n for n in CLASSIFIERS if 'slimming' in n])
def test_slimming_trains_sparse_scales_and_prunes_what_it_says(name):
    plan = plan_of(name)
    (hook,) = load_config(plan.config).custom_hooks
    assert (hook.type, hook.scale) == ('rethink_det.SparsityHook', SPARSITY[name.split('_')[1]])
    pruner = build_pruner(plan.pruner)
    assert (pruner.ratio, pruner.strictly_above) == (int(name.rpartition('-')[2]) / 100, True)
    assert pruner.heads == hook.get('heads', False) == name.startswith('imagenet')


@pytest.mark.parametrize('name', [n for n in CLASSIFIERS if 'soft-filter' in n])
def test_soft_pruning_keeps_what_it_says(name):
    plan = plan_of(name)
    (hook,) = load_config(plan.config, plan.options).custom_hooks
    assert hook['type'] == 'rethink_det.SoftFilterHook'
    assert hook['keep'] == int(name[-2:]) / 100


@pytest.mark.parametrize('name', CIFAR100)
def test_cifar100_differs_from_cifar10_in_classes_data_and_normalisation(name):
    mine = parent(name).to_dict()
    theirs = parent(name.removesuffix('_cifar100') + '_cifar10').to_dict()
    for key in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        data = mine[key]['dataset']
        assert (data['type'], data['data_root']) == ('rethink_det.CIFAR100', 'data/cifar100')
        data |= {'type': 'rethink_det.CIFAR10', 'data_root': 'data/cifar10'}
    assert mine['model']['head'].pop('num_classes') == 100
    assert theirs['model']['head'].pop('num_classes') == 10
    if 'soft-filter' in name:
        mine['model']['data_preprocessor'] = theirs['model']['data_preprocessor']
    assert mine == theirs


def test_readme_has_every_variant_of_every_study_and_no_other():
    named = {find_study(f'paper/{row}') for row in ROWS}
    assert len(named) == len(ROWS)
    each = set()
    for name in ALL:
        file = str(PAPER / f'{name}.py')
        variants = () if name == DETECTION else variants_in(file)
        each |= {(file, (variant,)) for variant in variants} or {(file, ())}
    assert named == each
    assert len(COMMANDS) >= len(ROWS) + 3


@pytest.mark.parametrize('command', COMMANDS)
def test_each_command_of_the_readme_is_understood(command):
    options = _parser('study').parse_args(shlex.split(command, comments=True)[1:])
    file, _ = find_study(options.study)
    assert Path(file).parent == PAPER


@pytest.mark.parametrize('name', CLASSIFIERS)
def test_readme_says_which_arms_have_a_published_number(name):
    runs = [run for run in runs_of(study(name)) if run.stage == 'classification']
    published = {run.arm: run.reference for run in runs if run.reference}
    assert set(published) == set(ROWS[name].strip(' –').split(', ')) - {''}
    assert all(reference.source for reference in published.values())


def test_each_published_number_stands_once():
    table = CONFIGS / '_base_' / 'published.py'
    numbers = {f'{value:.2f}' for value in values(load_config(table).published)}
    assert len(numbers) > 50
    standing = {}
    for path in (*CONFIGS.rglob('*.py'), *CONFIGS.rglob('*.md')):
        for number in numbers & set(re.findall(r'\d+\.\d+', path.read_text())):
            standing.setdefault(number, []).append(path)
    assert standing == {number: [table] for number in numbers}


def values(published):
    """The numbers of a nested dict of published ones."""
    for item in published.values():
        yield from [item.value] if 'value' in item else values(item)


def test_every_published_number_is_compared_with():
    table = load_config(CONFIGS / '_base_' / 'published.py').published
    compared = {run.reference for name in CLASSIFIERS for run in runs_of(study(name))}
    assert compared - {None} == {
        Reference(**one) for arms in table.values() for one in arms.values()
    }


def test_the_detection_study_has_the_papers_arms_and_parent():
    plan = study(DETECTION)
    (detector,) = plan.detection
    assert detector.arms == ('unpruned', 'prune-c', 'prune-d', 'scratch-e', 'scratch-b')
    for letter in ('a', 'b'):
        alone = plan_of(f'imagenet_resnet34_l1norm-{letter}')
        for part in ('pruner', 'config', 'arms', 'arm_settings', 'options', 'epochs'):
            assert getattr(plan.classification.of(letter), part) == getattr(alone, part), part


def test_a_row_is_found_by_its_name_from_any_folder(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = command('study', 'paper/cifar10_resnet56_l1norm-a', '--dry-run', '--seeds', 3)
    assert done.status == 0
    assert 'cifar10_resnet56: 5 runs' in done.out
    assert 'classification/resnet56_l1norm_cifar10/l1norm-a/scratch-b/seed3' in done.out


def test_rows_are_found_together_by_what_their_names_begin_with():
    assert find_study('paper/cifar10_resnet56_l1norm')[1] == ('l1norm-a', 'l1norm-b')
    assert find_study('paper/imagenet_resnet50_thinet-30')[1] == ('thinet-30',)
    found = find_study('paper/imagenet_resnet50_thinet')[1]
    controls = [name for name in found if name.endswith(('-random', '-l1norm'))]
    assert (len(found), len(controls)) == (12, 6)


def test_a_row_alone_has_no_controls_and_a_control_comes_with_its_row():
    row = find_study('paper/imagenet_resnet34_l1norm-a')
    assert row[1] == ('l1norm-a',)
    assert find_study('paper/imagenet_resnet34_l1norm-a-random')[1] == (*row[1], 'l1norm-a-random')


def test_a_row_that_is_not_there_is_refused(command):
    done = command('study', 'paper/cifar10_resnet56_l1norm-c', '--dry-run')
    assert done.status == 2
    assert "paper/cifar10_resnet56 has no variant 'l1norm-c': l1norm-a, l1norm-b" in done.err
