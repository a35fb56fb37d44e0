"""Tables of detectors: AP by threshold and size, latency and memory, feature maps, classes."""

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

from rethink_det.arms import ARMS
from rethink_det.report.precision_curves import PrecisionCurves
from rethink_det.report.run_result import RunResult
from rethink_det.report.statistics import METRICS, Metric, Row, by_arm, spread
from rethink_det.report.tables import Table, filled, numbers, span

KINDS = {'bbox': 'Box AP', 'segm': 'Mask AP'}
"""What is judged: name in metrics, and in words."""
_PARTS = {
    'mAP': 'AP', 'mAP_50': 'AP50', 'mAP_75': 'AP75',
    'mAP_s': 'small', 'mAP_m': 'medium', 'mAP_l': 'large',
}  # fmt: skip
_ROOT = {'bbox': 'coco/bbox_', 'segm': 'coco/segm_'}
_VOC = 'pascal_voc/'
SIZES = 'Sizes are of the ground truth: small below 32² pixels, large above 96².'


def breakdown_table(rows: Sequence[Row], kind: str) -> Table | None:
    """AP by IoU threshold and by size of the objects; None if no more than AP is known.

    Args:
        rows: All of one (stage, model).
        kind: A key of :data:`KINDS`.
    """
    parts = {f'{_ROOT[kind]}{key}': name for key, name in _PARTS.items()}
    table = _breakdown(rows, parts, f'{KINDS[kind]} by IoU threshold and size', SIZES)
    if table is None and kind == 'bbox':
        names = sorted({row.metric for row in rows if row.metric.startswith(f'{_VOC}AP')})
        parts = {f'{_VOC}mAP': 'AP', **{name: name.removeprefix(_VOC) for name in names}}
        several = parts if len(names) > 1 else {}  # one threshold is the AP itself
        table = _breakdown(rows, several, 'VOC AP by IoU threshold', '')
    return table


def _breakdown(
    rows: Sequence[Row], parts: Mapping[str, str], title: str, note: str
) -> Table | None:
    found = {(row.arm, row.metric): row for row in rows if row.metric in parts}
    shown = [key for key in parts if any(metric == key for _, metric in found)]
    if len(shown) < 2:
        return None
    arms = list(dict.fromkeys(arm for arm, _ in found))
    body = [[arm, *(_points(found.get((arm, key))) for key in shown)] for arm in arms]
    return Table(title, ['arm', *(parts[key] for key in shown)], body, note)


def _points(row: Row | None) -> str:
    """Mean ± std in points; a dash where COCO says -1, that there are no such objects."""
    return '–' if row is None or row.mean < 0 else spread(row.mean, row.std, _AP)


_AP = Metric('AP', 100.0, 1, 'AP')


def speed_table(
    runs: Sequence[RunResult], rows: Sequence[Row], beside: bool = False
) -> Table | None:
    """A metric beside latency and peak memory, means over seeds; None if nothing was measured.

    Args:
        runs: The completed runs of one (stage, model).
        rows: Its arms by the metric.
        beside: Whether the latencies were measured side by side, not each at the end of its run.
    """
    measured = [run for run in runs if run.latency_ms is not None]
    lost = [f'{run.arm} seed {run.seed} ({run.unmeasured})' for run in runs if run.unmeasured]
    if not measured and not lost:
        return None
    metric = METRICS[rows[0].stage][rows[0].metric]
    reference = ARMS.reference(rows[0].stage).name
    unpruned = numbers([run for run in measured if run.arm == reference], 'latency_ms')
    body = []
    for row in rows:
        mine = [run for run in measured if run.arm == row.arm]
        times, memory = numbers(mine, 'latency_ms'), numbers(mine, 'peak_memory_mib')
        ratio = f'{fmean(times) / fmean(unpruned):.2f} ×' if times and unpruned else '–'
        score = spread(row.mean, row.std, metric)
        shown = [span(times, '{:.2f}'.format), ratio, span(memory, '{:.1f}'.format)]
        body.append([row.arm, score, *shown])
    columns = ['arm', metric.label, 'latency, ms', f'relative to {reference}', 'peak memory, MiB']
    title = 'Latency and memory of the whole detector'
    return Table(title, *filled(columns, body), _speed_note(measured, lost, beside))


_BESIDE = (
    'All networks were measured in turns by one process, those of one shape once, whatever their '
    'weights.'
)
_EACH = (
    'Each was measured at the end of its run: it compares arms only if all were measured under the '
    'same load, which runs side by side (--workers) and other programs disturb. rethink-det report '
    'DIR --latency measures them side by side.'
)


def _speed_note(measured: Sequence[RunResult], lost: Sequence[str], beside: bool) -> str:
    shapes = sorted({'×'.join(map(str, run.input_shape)) for run in measured if run.input_shape})
    devices = sorted({run.latency_device for run in measured if run.latency_device})
    at = f', images of {", ".join(shapes)}' if shapes else ''
    note = [
        f'Batch 1 on {" and on ".join(devices)}{at}; mean (lowest to highest) over seeds. Latency '
        'is the median over a few validation images, from the decoded, resized image to its '
        f'detections. {_BESIDE if beside else _EACH} Memory is the most that weights and all else '
        'take at a time, on a CPU in tensors alone.'
    ] * bool(measured)
    if len(devices) > 1:
        note.append('Latencies of several devices are not plotted.')
    return ' '.join([*note, *([f'Not measured: {"; ".join(lost)}.'] if lost else [])])


def stage_table(runs: Sequence[RunResult]) -> Table | None:
    """Widths of the feature maps by arm; None if no run tells them."""
    arms: dict[str, list[RunResult]] = {}
    for run in sorted(runs, key=lambda run: (by_arm(run), run.seed)):
        if run.stages:
            arms.setdefault(run.arm, []).append(run)
    strides = list(dict.fromkeys(s.stride for cell in arms.values() for s in cell[0].stages or ()))
    if not strides:
        return None
    body = [[arm, *(_widths(cell, stride) for stride in strides)] for arm, cell in arms.items()]
    note = (
        'Channels that the detector reads, of those of the unpruned backbone; behind it, what is '
        'left of the output channels of all convolutions with an output of that stride. A stride '
        'is in pixels of the image.'
    )
    columns = ['arm', *(f'stride {stride}' for stride in strides)]
    return Table('Feature maps of the backbone', columns, body, note)


def _widths(runs: Sequence[RunResult], stride: int) -> str:
    stages = [one for run in runs for one in run.stages or () if one.stride == stride]
    if not stages:
        return '–'
    widths = sorted({one.width for one in stages})
    between = '–'.join(map(str, {widths[0]: 0, widths[-1]: 0}))
    inside = fmean(one.inside / max(1, one.base_inside) for one in stages)
    return f'{between} of {stages[0].base_width} · {100 * inside:.0f} %'


def class_table(found: Mapping[str, Sequence[PrecisionCurves]], kind: str) -> Table | None:
    """AP by class and arm, mean ± std over seeds; None without curves.

    Args:
        found: By arm and seed what is told of ``kind``, arms in the order to show.
        kind: A key of :data:`KINDS`.
    """
    names = list(dict.fromkeys(c.name for each in found.values() for s in each for c in s.classes))
    if not names:
        return None
    body = [[name, *(_of_class(seeds, name) for seeds in found.values())] for name in names]
    title = f'{KINDS[kind]} by class ({len(names)})'
    return Table(title, ['class', *found], body, of_arms=False, folded=True)


def _of_class(seeds: Sequence[PrecisionCurves], name: str) -> str:
    found = [one.AP for seed in seeds for one in seed.classes if one.name == name]
    scores = [score for score in found if score is not None]
    if not scores:
        return '–'
    return spread(fmean(scores), stdev(scores) if len(scores) > 1 else None, _AP)
