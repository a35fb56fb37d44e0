"""What the plots of a report share: arms' colours and markers, a bare figure, SVG and PNG.

The only modules that import matplotlib are this one and the plots, by its object-oriented API
(no pyplot state). Colours are those of Okabe and Ito, told apart under the common kinds of
colour blindness.
"""

import io
import re
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

# Colour and marker by arm; prune-c is fine-tune's counterpart in a detector, so they share.
ARM_STYLE = {
    'unpruned': ('#7f858d', 's'),
    'fine-tune': ('#0072b2', 'o'),
    'prune-c': ('#0072b2', 'o'),
    'prune-d': ('#56b4e9', 'P'),
    'scratch-e': ('#e69f00', '^'),
    'scratch-b': ('#d55e00', 'D'),
    'lottery': ('#cc79a7', 'v'),
    'random': ('#009e73', 'X'),
}
OTHER_STYLE = ('#9a6b3f', '*')
INK, MUTED, GRID = '#1d2430', '#5b6472', '#dfe3e8'
WIDTH = 6.4  # inches
FONTS = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'.replace('"', '&quot;')


def style_of(arm: str) -> tuple[str, str]:
    """Colour and marker of an arm; arms unknown to the project share one."""
    return ARM_STYLE.get(arm, OTHER_STYLE)


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


def add_legend(figure: Figure, axes: Axes) -> None:
    """Below the axes, where it hides nothing: what is labelled in ``axes``."""
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
        ncols=len(labels) if len(labels) <= 6 else 4,
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
    )


def literal(text: str) -> str:
    """``text`` that matplotlib takes as it stands: a dollar sign starts no formula."""
    return text.replace('$', r'\$')


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
    for colour, name in ((INK, 'ink'), (MUTED, 'muted'), (GRID, 'grid')):
        svg = svg.replace(colour, f'var(--{name}, {colour})')
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
