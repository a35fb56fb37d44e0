"""What is shown of a model that was pruned in several ways."""

from dataclasses import replace

import pytest

from rethink_det.report.operating_points import (
    bases,
    break_even_table,
    break_evens,
    controls_table,
    method_of,
    points_of,
    points_table,
)
from rethink_det.report.plots import operating_points_figure
from rethink_det.report.run_result import RunResult
from tests.report.rows import TOP1

L1 = {'type': 'L1NormPruner', 'ratios': 0.3}
DRAWN = {'type': 'RandomPruner', 'seed': 0, 'widths_of': 'net/l1-0.3'}
MACS = {'l1-0.3': 70, 'l1-0.7': 30, 'l1-0.3-random': 70}


def runs(**changes):
    """Two seeds: two ratios, a control of one, and scratch arms that it shares."""
    found = []
    for seed in (0, 1):
        for variant, macs in MACS.items():
            pruner = DRAWN if 'random' in variant else L1 | {'ratios': float(variant[-3:])}
            scores = {'fine-tune': 80 + macs / 10 + seed - ('random' in variant), 'scratch-e': 85.0}
            for arm, score in scores.items():
                own = variant.removesuffix('-random') if arm == 'scratch-e' else variant
                told = L1 if arm == 'scratch-e' else pruner
                found.append(
                    RunResult(
                        'classification', arm, seed, {TOP1: score}, f'net/{variant}', macs=macs,
                        params=macs, pruner=told, key=f'{own}/{arm}/{seed}',
                        digest=f'{own}{arm}{seed}',
                    )
                )  # fmt: skip
            found.append(
                RunResult(
                    'classification', 'unpruned', seed, {TOP1: 90.0 + seed}, f'net/{variant}',
                    macs=100, params=200, key=f'unpruned/{seed}', digest=f'u{seed}',
                )
            )  # fmt: skip
    return [replace(run, **changes) for run in found]


def test_points_that_variants_share_stand_there_once():
    points = points_of(runs(), 'classification', 'net')
    assert [(one.arm, one.method, one.variant) for one in points] == [
        ('unpruned', '', 'l1-0.3'),
        ('fine-tune', 'L1Norm', 'l1-0.3'),
        ('fine-tune', 'L1Norm', 'l1-0.7'),
        ('fine-tune', 'Random', 'l1-0.3-random'),
        ('scratch-e', 'L1Norm', 'l1-0.3'),
        ('scratch-e', 'L1Norm', 'l1-0.7'),
    ]
    table = points_table(points)
    row = dict(zip(table.columns, table.rows[2], strict=True))
    assert (row['compression'], row['speed-up'], row['Top-1, %']) == (
        '6.67 ×',
        '3.33 ×',
        '83.50 ± 0.71',
    )


def test_a_control_stands_beside_its_method_and_no_other():
    table = controls_table(points_of(runs(), 'classification', 'net'))
    (row,) = table.rows
    assert row[:4] == ['fine-tune', 'l1-0.3', 'L1Norm', 'Random']
    assert row[-2] == '+1.00'
    without = [run for run in runs() if 'random' not in run.model]
    assert controls_table(points_of(without, 'classification', 'net')) is None


def test_the_plot_has_a_line_an_arm_and_method():
    figure = operating_points_figure(points_of(runs(), 'classification', 'net'))
    (axes,) = figure.axes
    lines = {'unpruned', 'fine-tune, L1Norm', 'fine-tune, Random', 'scratch-e, L1Norm'}
    assert set(axes.get_legend_handles_labels()[1]) == lines
    nothing = points_of(runs(macs=None), 'classification', 'net')
    assert operating_points_figure(nothing) is None


def test_only_models_of_several_variants_have_a_curve():
    several = runs()
    assert bases(several) == [('classification', 'net')]
    assert bases([run for run in several if run.model == 'net/l1-0.3']) == []
    assert bases([replace(run, model='net') for run in several]) == []


def test_break_evens_are_told_a_variant_a_line():
    spent = {'scratch-e': 100.0, 'unpruned': 200.0, 'fine-tune': 210.0}
    told = [replace(run, total_train_macs=spent[run.arm]) for run in runs()]
    scratch = [run for run in told if run.arm == 'scratch-e']
    more = [
        replace(run, arm='scratch-e@2', metrics={TOP1: 95.0}, total_train_macs=200.0, digest=None)
        for run in scratch
    ]
    found = break_evens([*told, *more], 'classification', 'net')
    assert [one.model for one in found] == ['net/l1-0.3', 'net/l1-0.7', 'net/l1-0.3-random']
    table = break_even_table(found)
    assert [row[0] for row in table.rows] == ['l1-0.3', 'l1-0.7', 'l1-0.3-random']
    assert break_evens(told, 'classification', 'net') == []


@pytest.mark.parametrize(
    'pruner, name',
    [
        (None, ''),
        ({'architecture': 'resnet34-a'}, 'resnet34-a'),
        ({'type': 'rethink_det.L1NormPruner', 'target': 'x'}, 'L1Norm'),
        (
            {'type': 'ImportancePruner', 'importance': 'l2', 'ratios': 0.5},
            'Importance importance=l2',
        ),
    ],
)
def test_a_method_goes_by_how_it_chooses_and_not_by_how_much(pruner, name):
    assert method_of(pruner) == name
