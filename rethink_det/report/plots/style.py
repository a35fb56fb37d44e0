"""What the plots of a report share: arms' colours and markers, a bare figure, SVG and PNG.

The only modules that import matplotlib are this one and the plots, by its object-oriented API
(no pyplot state). Colours are those of Okabe and Ito, told apart under the common kinds of
colour blindness, and on a light and on a dark page; the unpruned network has that of the text. No
two arms of a stage share a marker.
"""

import io
import re
from math import ceil
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.markers import MarkerStyle
from matplotlib.ticker import MaxNLocator

from rethink_det.arms import AT

INK, MUTED, GRID = '#1d2430', '#5b6472', '#dfe3e8'
# Colour and marker by arm; prune-c is fine-tune's counterpart in a detector, so they share.
ARM_STYLE = {
    'unpruned': (INK, 's'),
    'fine-tune': ('#0072b2', 'o'),
    'prune-c': ('#0072b2', 'o'),
    'prune-d': ('#56b4e9', 'P'),
    'scratch-e': ('#e69f00', '^'),
    'scratch-b': ('#d55e00', 'D'),
    'scratch-total': ('#009e73', 'X'),
    'rewind': ('#56b4e9', 'P'),
    'lottery': ('#cc79a7', 'v'),
    'unpruned-d': (MUTED, 'h'),
    'scratch-d': ('#cc79a7', 'v'),
    'random': ('#009e73', 'X'),
}
OTHER_STYLE = ('#9a6b3f', '*')
WIDTH = 5.2  # inches: on a phone, text is still of a size to read
IN_A_ROW = 5  # names that the legend has room for
FONTS = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'.replace('"', '&quot;')


def style_of(arm: str) -> tuple[str, str]:
    """Colour and marker of an arm, whatever its budget; arms unknown to the project share one."""
    return ARM_STYLE.get(arm.partition(AT)[0], OTHER_STYLE)


def new_figure(height: float) -> tuple[Figure, Axes]:
    """An empty figure of ``height`` inches with one pair of axes, bare but for the x axis."""
    figure, (axes,) = new_panels(height, 1)
    return figure, axes


def new_panels(height: float, count: int) -> tuple[Figure, list[Axes]]:
    """The same with ``count`` pairs of axes side by side, which share the y axis."""
    figure = Figure(figsize=(WIDTH, height), layout='constrained')
    FigureCanvasAgg(figure)
    (panels,) = figure.subplots(1, count, sharey=True, squeeze=False)
    for axes in panels:
        for side in ('top', 'right', 'left'):
            axes.spines[side].set_visible(False)
        axes.spines['bottom'].set_color(MUTED)
        axes.tick_params(colors=INK, length=0, labelsize=10)
        axes.xaxis.label.set(color=MUTED, size=10)
        axes.yaxis.label.set(color=MUTED, size=10)
        axes.xaxis.set_major_locator(MaxNLocator(7))
        axes.set_axisbelow(True)
    return figure, list(panels)


def add_legend(figure: Figure, axes: Axes, columns: int | None = None) -> None:
    """Below the axes, where it hides nothing: what is labelled in ``axes``.

    Args:
        figure: Of the axes.
        axes: With what is to be named.
        columns: Names in a row; default: as many as names of arms have room.
    """
    drawn, labels = axes.get_legend_handles_labels()
    drawn = [one[0] if isinstance(one, ErrorbarContainer) else one for one in drawn]
    figure.legend(
        drawn,
        labels,
        loc='outside lower center',
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        columnspacing=1.2,
        handletextpad=0.3,
        ncols=columns or (len(labels) if len(labels) <= IN_A_ROW else ceil(len(labels) / 2)),
    )


def draw_mean(
    axes: Axes,
    arm: str,
    place: tuple[float, float],
    stds: tuple[float | None, float | None],
    label: str | None = None,
) -> None:
    """A large marker in an arm's colour at ``place``, with bars for the std in x and in y."""
    colour, marker = style_of(arm)
    axes.errorbar(
        *place,
        xerr=stds[0],
        yerr=stds[1],
        fmt=marker,
        color=colour,
        label=label,
        elinewidth=2,
        capsize=4,
        capthick=2,
        markersize=8,
        clip_on=False,
    )


def literal(text: str) -> str:
    """``text`` that matplotlib takes as it stands: a dollar sign starts no formula."""
    return text.replace('$', r'\$')


def on_page(colour: str) -> str:
    """A colour in the page's style: that of text and grid follows dark and light."""
    return f'var(--{_VARIABLES[colour]}, {colour})' if colour in _VARIABLES else colour


_VARIABLES = {INK: 'ink', MUTED: 'muted', GRID: 'grid'}


def marker_svg(arm: str) -> str:
    """An arm's marker in its colour, as a small ``<svg>`` element that stands in a text."""
    colour, marker = style_of(arm)
    style = MarkerStyle(marker)
    (outline, *_) = style.get_path().transformed(style.get_transform()).to_polygons()
    size = np.abs(outline).max()
    points = ' '.join(f'{x:.2f},{-y:.2f}' for x, y in np.divide(outline, size))
    return (
        f'<svg class="mark" viewBox="-1 -1 2 2" aria-hidden="true">'
        f'<polygon fill="{on_page(colour)}" points="{points}"/></svg>'
    )


def to_svg(figure: Figure, label: str) -> str:
    """The figure as an ``<svg>`` element for HTML: no links out, colours that follow the page.

    Text stays text, ink and grid become the CSS variables ``--ink``, ``--muted`` and ``--grid``,
    and ``label`` is what a screen reader says.
    """
    buffer = io.StringIO()
    with rc_context({'svg.fonttype': 'none', 'svg.hashsalt': 'rethink_det'}):
        figure.savefig(buffer, format='svg', transparent=True)
    svg = buffer.getvalue()
    svg = re.sub(r'<metadata>.*?</metadata>', '', svg[svg.index('<svg') :], flags=re.DOTALL)
    for colour in _VARIABLES:
        svg = svg.replace(colour, on_page(colour))
    svg = re.sub(r'(font: [^;\"]*?px) [^;\"]*', rf'\1 {FONTS}', svg)
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', '', svg)  # HTML knows both without
    label = label.replace('&', '&amp;').replace('<', '&lt;').replace('"', '&quot;')
    return svg.replace('<svg ', f'<svg role="img" aria-label="{label}" ', 1).strip()


def save_png(figure: Figure, path: str | Path, dpi: int = 160) -> Path:
    """Write the figure to ``path`` on white, making folders as needed."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format='png', dpi=dpi, facecolor='white', metadata={'Software': None})
    return path
