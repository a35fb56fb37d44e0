"""The plot against training compute shows every run whose compute is known, and no other."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det.report.page import write_report
from rethink_det.report.plots import compute as compute_plot
from rethink_det.report.plots.compute import compute_figure
from rethink_det.report.plots.style import style_of
from rethink_det.report.results import StudyResults
from rethink_det.report.run_result import RunResult
from rethink_det.report.statistics import summarise
from rethink_det.report.training_compute import spent_by, unknown_note

PARENT = 3.05e15
SPENT = {'unpruned': 1.0, 'fine-tune': 1.2, 'scratch-e': 0.7, 'scratch-b': 1.0}
TOP1 = 'accuracy/top1'


def runs(spent=None, seeds=(0, 1, 2), stage='classification', metric=TOP1):
    """Runs by arm; ``spent`` is relative to the parent, or None where unknown."""
    return [
        RunResult(
            stage, arm, seed, {metric: 0.9 + 0.01 * seed + 0.02 * place}, 'net',
            total_train_macs=None if factor is None else PARENT * factor,
        )
        for place, (arm, factor) in enumerate((spent or SPENT).items())
        for seed in seeds
    ]  # fmt: skip


def draw(entries):
    figure = compute_figure(entries, summarise(entries))
    figure.canvas.draw()
    return figure, figure.axes[0]


def dots(axes):
    """Coordinates of the seeds' dots by colour; the bars of the means are other artists."""
    bars = {bar.lines[0] for bar in axes.containers}
    caps = {line for bar in axes.containers for line in bar.lines[1]}
    lines = [line for line in axes.lines if line not in bars | caps]
    return {line.get_color(): list(zip(*line.get_data(), strict=True)) for line in lines}


def means(axes):
    """Where the mean of each arm stands, in points, by label."""
    found = {}
    for bar in axes.containers:
        pixels = axes.transData.transform(bar.lines[0].get_xydata())[0]
        found[bar.get_label()] = pixels * 72 / axes.figure.dpi
    return found


@pytest.mark.parametrize(
    'stage, metric', [('classification', TOP1), ('detection', 'coco/bbox_mAP')]
)
def test_every_run_is_a_dot_of_its_arms_colour_at_its_value(stage, metric):
    entries = runs(stage=stage, metric=metric)
    _, axes = draw(entries)
    shown = {c: [y for _, y in points] for c, points in dots(axes).items()}
    factor = 1 if stage == 'classification' else 100
    for row in summarise(entries):
        values = [factor * value for value in row.values.values()]
        assert shown.pop(style_of(row.arm)[0]) == pytest.approx(values)
    assert not shown
    assert 'MACs' in axes.get_xlabel()
    assert ('backbone' in axes.get_xlabel()) == (stage == 'detection')


def test_means_stand_at_their_compute_unless_another_arm_is_there():
    _, axes = draw(runs())
    at = {bar.get_label(): bar.lines[0].get_xdata()[0] * 1e15 / PARENT for bar in axes.containers}
    assert at['fine-tune'] == pytest.approx(1.2, rel=1e-3)
    assert at['scratch-e'] == pytest.approx(0.7, rel=1e-3)
    assert at['unpruned'] == pytest.approx(1, abs=0.04) == at['scratch-b']
    assert at['unpruned'] != at['scratch-b']


@pytest.mark.parametrize('decades', [0, 3])
def test_arms_of_equal_compute_do_not_hide_each_other(decades):
    spent = {arm: 1.0 for arm in ('unpruned', 'fine-tune', 'scratch-b', 'lottery')}
    _, axes = draw(runs(spent | {'random': 10.0**-decades}))
    places = sorted(x for x, _ in means(axes).values())
    assert all(right - left > 8 for left, right in pairwise(places))  # the size of a mark
    low, high = axes.get_xlim()
    assert all(low < x < high for points in dots(axes).values() for x, _ in points)


@given(st.lists(st.floats(0, 400), min_size=1, max_size=8))
def test_places_keep_their_order_and_distance_and_move_only_if_crowded(places):
    moved = [p + o for p, o in zip(places, compute_plot._offsets(places), strict=True)]
    ordered = sorted(range(len(places)), key=places.__getitem__)
    for i, j in pairwise(ordered):
        assert moved[j] - moved[i] >= compute_plot.APART - 1e-6
    if all(places[j] - places[i] >= compute_plot.APART for i, j in pairwise(ordered)):
        assert moved == pytest.approx(places)
    assert sum(moved) == pytest.approx(sum(places))


@pytest.mark.parametrize('least, kind', [(0.11, 'linear'), (0.09, 'log'), (1e-5, 'log')])
def test_axis_is_logarithmic_beyond_a_decade(least, kind):
    _, axes = draw(runs(SPENT | {'fine-tune': 1.0, 'random': least}))
    assert axes.get_xscale() == kind
    low, high = axes.get_xlim()
    labels = [label.get_text() for label in axes.get_xticklabels()]
    inside = [t for t, x in zip(labels, axes.get_xticks(), strict=True) if low <= x <= high]
    assert len(inside) >= 2 and all(inside)


def test_legend_names_the_arms_and_lies_below_the_axes():
    figure, axes = draw(runs())
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(SPENT)
    below = legend.get_window_extent().y1
    assert below <= axes.xaxis.label.get_window_extent().y0
    assert legend.get_window_extent().width <= figure.bbox.width


def test_runs_of_unknown_compute_are_left_out_and_named():
    entries = runs(SPENT | {'unpruned': None, 'fine-tune': None})
    place = [(run.arm, run.seed) for run in entries].index(('scratch-b', 1))
    entries[place] = replace(entries[place], total_train_macs=None)
    _, axes = draw(entries)
    assert {bar.get_label() for bar in axes.containers} == {'scratch-e', 'scratch-b'}
    note = unknown_note(summarise(entries), spent_by(entries))
    assert 'compute: unpruned, fine-tune, scratch-b (seed 1).' in note


def test_a_diverged_run_has_no_dot_whatever_it_spent():
    entries = [*runs(), RunResult('classification', 'fine-tune', 9, {TOP1: None}, 'net')]
    entries[-1] = replace(entries[-1], total_train_macs=1e20)
    _, axes = draw(entries)
    assert axes.get_xscale() == 'linear'
    assert sum(map(len, dots(axes).values())) == len(entries) - 1


def test_nothing_is_drawn_or_said_where_there_is_nothing_to():
    nothing = runs(dict.fromkeys(SPENT))
    assert compute_figure(nothing, summarise(nothing)) is None
    assert unknown_note(summarise(runs()), spent_by(runs())) == ''


@pytest.mark.parametrize('lost', [['fine-tune'], list(SPENT)])
@pytest.mark.parametrize('kind', ['markdown', 'html'])
def test_the_report_says_once_which_runs_the_plot_lacks(tmp_path, kind, lost):
    entries = runs(SPENT | dict.fromkeys(lost))
    StudyResults('given', entries).write(tmp_path)
    written = write_report(tmp_path)
    text = written[kind].read_text('utf-8')
    assert text.count(f'Not plotted against training compute: {", ".join(lost)}.') == 1
    assert (written['plots'] / 'classification_net_compute.png').is_file() == (len(lost) == 1)
    assert ('total training compute, MACs' in text) == (len(lost) == 1)
