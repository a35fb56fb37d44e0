"""The plots of a report, one a file."""

from rethink_det.report.plots.arms import metric_figure
from rethink_det.report.plots.compute import compute_figure
from rethink_det.report.plots.curves import curves_figure
from rethink_det.report.plots.latency import latency_figure
from rethink_det.report.plots.operating_points import operating_points_figure

__all__ = [
    'compute_figure',
    'curves_figure',
    'latency_figure',
    'metric_figure',
    'operating_points_figure',
]
