"""The report of detectors: curves, latency, widths and pictures are shown where there are any."""

import json
import re
import shutil
from dataclasses import replace

import pytest

from rethink_det.errors import UserError
from rethink_det.report.contact_sheet import CELL
from rethink_det.report.page import write_report
from rethink_det.report.plots.latency import latency_figure
from rethink_det.report.results import StudyResults
from rethink_det.report.run_result import FeatureMapWidths, RunResult, Transferred
from rethink_det.report.schema import read
from rethink_det.report.statistics import summarise
from tests.fresh_process import fresh
from tests.report.sheets import sheet

ARMS = {'unpruned': 0.41, 'prune-c': 0.39, 'scratch-b': 0.38}


MODEL = 'mask-rcnn'


STAGE = dict(stride=4, width=12, base_width=16, inside=30, base_inside=60)


STAGES = (FeatureMapWidths(**STAGE),)


PROOF = Transferred(tensors=122, parent_digest='ab12')


LATENCY = {'unpruned': 12.0, 'prune-c': 8.0, 'scratch-b': 8.5}


def curves(ap):
    precision = [round(ap, 3)] * 101
    classes = [dict(name='dog', AP=ap, AP50=ap, AP75=ap), dict(name='<cat>', AP=None)]
    of = dict(precision={'0.50': precision, '0.50:0.95': precision}, classes=classes)
    return dict(bbox=of, segm=of)


def run(arm, seed, ap, **fields):
    parts = dict(mAP=ap, mAP_50=ap + 0.2, mAP_75=ap, mAP_s=0.111, mAP_m=0.222, mAP_l=-1.0)
    metrics = {f'coco/{kind}_{key}': v for kind in ('bbox', 'segm') for key, v in parts.items()}
    fields = dict(transferred=Transferred() if arm == 'scratch-b' else PROOF) | fields
    return RunResult(
        'detection', arm, seed, metrics, MODEL, input_shape=(3, 48, 96), params=10, macs=10.0,
        latency_ms=LATENCY[arm] + seed, latency_device='a CPU, 1 thread', peak_memory_mib=30.0,
        stages=STAGES, folder=f'runs/{arm}/seed{seed}', **fields,
    )  # fmt: skip


@pytest.fixture
def work(tmp_path):
    """The folder of a study of three arms and two seeds, with what their runs left."""
    runs = [run(arm, seed, ap + seed / 100) for arm, ap in ARMS.items() for seed in (0, 1)]
    for one in runs:
        folder = tmp_path / 'work' / one.folder
        folder.mkdir(parents=True)
        ap = one.metrics['coco/bbox_mAP']
        (folder / 'curves.json').write_text(json.dumps(curves(ap)))
        (folder / 'sheet.json').write_text(json.dumps(sheet(0.5 + one.seed / 4)))
    StudyResults('s', runs).write(tmp_path / 'work')
    return tmp_path / 'work'


def change(work, **fields):
    """Other fields in every run of the results."""
    results = StudyResults.read(work)
    results.runs = [replace(one, **fields) for one in results.runs]
    results.write(work)


def table(text, title):
    """Cells of a table in Markdown, a list a row."""
    block = re.search(rf'### {re.escape(title)}\n\n.*?((?:^\|[^\n]*\n)+)', text, re.M | re.S)[1]
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in block.splitlines()]


def test_everything_is_shown(work):
    written = write_report(work)
    text = written['markdown'].read_text()
    sizes = table(text, 'Box AP by IoU threshold and size')
    assert sizes[0] == ['arm', 'AP', 'AP50', 'AP75', 'small', 'medium', 'large']
    assert sizes[3] == [
        'prune-c', '39.5 ± 0.7', '59.5 ± 0.7', '39.5 ± 0.7', '11.1 ± 0.0', '22.2 ± 0.0', '–',
    ]  # fmt: skip
    assert len(table(text, 'Mask AP by IoU threshold and size')) == 5
    speed = table(text, 'Latency and memory of the whole detector')
    assert speed[2] == ['unpruned', '41.5 ± 0.7', '12.50 (12.00 to 13.00)', '1.00 ×', '30.0']
    assert speed[3][3] == '0.68 ×'
    assert 'Batch 1 on a CPU, 1 thread, images of 3×48×96' in text
    assert 'latency' not in ' '.join(table(text, 'Cost')[0])
    assert table(text, 'Feature maps of the backbone')[2:] == [
        [arm, '12 of 16 · 50 %'] for arm in ARMS
    ]
    proofs = table(text, 'What was transferred')
    assert proofs[3] == ['unpruned', '1', '122', 'not known', 'ab12']
    assert proofs[-1] == ['scratch-b', '1', 'none', 'none', 'none']
    names = [row[0] for row in table(text, 'Box AP by class (2)')]
    assert names == ['class', '---', 'dog', '&lt;cat>']
    assert table(text, 'Box AP by class (2)')[3] == ['&lt;cat>', '–', '–', '–']
    plots = sorted(path.name for path in written['plots'].iterdir())
    kinds = ['arms', 'curves-bbox', 'curves-segm', 'latency', 'sheet']
    assert plots == [f'detection_{MODEL}_{kind}.png' for kind in kinds]
    assert all(name in text for name in plots)


def test_what_was_not_fine_tuned_is_said_beside_the_numbers(work):
    assert 'not fine-tuned' not in write_report(work)['markdown'].read_text()
    change(work, transferred=replace(PROOF, parent_arm='pruned'))
    text = write_report(work)['markdown'].read_text()
    assert 'Pruned and not fine-tuned before the transfer: prune-c.' in text
    origins = {row[0]: row[3] for row in table(text, 'What was transferred')[2:]}
    # Another arm that goes on from what pruning left has never a fine-tuned network.
    assert origins == {
        'unpruned': 'pruned', 'prune-c': 'pruned, not fine-tuned', 'scratch-b': 'pruned'
    }  # fmt: skip
    change(work, transferred=replace(PROOF, parent_arm='fine-tune'))
    text = write_report(work)['markdown'].read_text()
    assert 'not fine-tuned' not in text and '| fine-tune |' in text


def test_the_page_holds_the_pictures_and_tells_them_in_words(work):
    html = write_report(work)['html'].read_text()
    images = re.findall(r'<img alt="([^"]*)" width="(\d+)" height="(\d+)" src="([^"]*)"', html)
    assert len(images) == 2 * 4 == html.count('<img')
    assert {(width, height) for _, width, height, _ in images} == {(str(CELL), str(CELL // 2))}
    assert all(uri.startswith('data:image/jpeg;base64,') for *_, uri in images)
    said = [alt for alt, *_ in images]
    assert said[:2] == ['ground truth, image 0: &lt;cat&gt;', 'unpruned, image 0: &lt;cat&gt; 0.50']
    assert said[7] == 'scratch-b, image 1: nothing'
    assert '<cat>' not in html and html.count('<svg role="img"') == 4
    assert 'seed 0. A colour' in html  # the lowest of the two


def test_a_moved_study_is_reported_alike(work, tmp_path):
    first = {kind: path for kind, path in write_report(work).items() if kind != 'plots'}
    before = {kind: path.read_bytes() for kind, path in first.items()}
    moved = shutil.move(work, tmp_path / 'étude "2"')
    again = write_report(moved)
    assert {kind: again[kind].read_bytes() for kind in before} == before


def test_runs_of_older_versions_are_reported_without(work):
    lost = ('folder', 'stages', 'latency_ms', 'latency_device', 'transferred')
    change(work, **dict.fromkeys(lost))
    text = write_report(work)['markdown'].read_text()
    for words in ('Detections', 'Feature maps', 'Latency', 'by class', 'Precision', 'transferred'):
        assert words not in text
    assert '### Box AP by IoU' in text


def test_lost_files_leave_their_parts_out(work):
    shutil.rmtree(work / 'runs' / 'prune-c')
    html = write_report(work)['html'].read_text()
    assert html.count('<img') == 2 * 3
    shutil.rmtree(work / 'runs')
    assert '<img' not in write_report(work)['html'].read_text()


@pytest.mark.parametrize('name', ['curves.json', 'sheet.json'])
@pytest.mark.parametrize('content', ['{', '[]'])
def test_a_damaged_file_is_left_out_and_named(work, name, content):
    file = work / 'runs' / 'prune-c' / 'seed0' / name
    file.write_text(content)
    said = write_report(work)['markdown'].read_text()
    assert 'Files that could not be read (1)' in said
    assert f'runs/prune-c/seed0/{name}' in said and str(work) not in said


@pytest.mark.parametrize(
    'field, value, named',
    [
        ('folder', 3, "'folder' is 3, must be a text"),
        ('stages', [dict(stride=4)], r"run: 'stages\[0\].width' is missing"),
        ('stages', [dict(STAGE, depth=3)], r"stages\[0\]: unknown key 'depth'"),
        ('stages', 4, "'stages' is 4"),
        ('peak_memory_mib', 'much', "'peak_memory_mib' is 'much'"),
        ('unmeasured', 7, "'unmeasured' is 7"),
        ('transferred', 'all', "'transferred' is 'all', must be a dict"),
    ],
)
def test_facts_of_the_wrong_kind_are_refused(field, value, named):
    data = {**run('prune-c', 0, 0.4).to_dict(), field: value}
    with pytest.raises(UserError, match=named):
        read(RunResult, data, 'run')


def test_facts_survive_a_round_trip():
    one = run('prune-c', 0, 0.4, unmeasured='why')
    assert read(RunResult, json.loads(json.dumps(one.to_dict())), 'run') == one


def test_what_was_not_measured_is_said(work):
    change(work, unmeasured='OutOfMemoryError: 3 | 4', latency_ms=None)
    text = write_report(work)['markdown'].read_text()
    assert 'Not measured: unpruned seed 0 (OutOfMemoryError' in text


def test_detectors_of_which_nothing_could_be_measured_are_reported(work):
    names = ('input_shape', 'input_origin', 'params', 'macs', 'macs_of', 'train_macs')
    names += ('total_train_macs', 'stages', 'latency_ms', 'latency_device', 'peak_memory_mib')
    change(work, **dict.fromkeys(names), unmeasured='input_shape: the config has no data')
    text = write_report(work)['markdown'].read_text()
    assert table(text, 'Box AP by IoU threshold and size')[2][0] == 'unpruned'
    assert 'prune-c seed 1 (input_shape: the config has no data)' in text
    assert 'nan' not in text.lower().replace('nano', '')


def test_where_the_size_comes_from_is_said(work):
    change(work, input_origin='a blank image of 640x480 through val_dataloader')
    text = write_report(work)['markdown'].read_text()
    assert 'The size is that of a blank image of 640x480 through val_dataloader.' in text


def test_latencies_of_several_devices_are_not_plotted(work):
    results = StudyResults.read(work)
    results.runs[0] = replace(results.runs[0], latency_device='another')
    rows = [row for row in summarise(results.runs) if row.metric == 'coco/bbox_mAP']
    assert latency_figure(results.runs, rows) is None
    assert latency_figure(results.runs[1:], rows) is not None
    results.write(work)
    text = write_report(work)['markdown'].read_text()
    assert 'Batch 1 on a CPU, 1 thread and on another' in text
    assert 'several devices are not plotted' in text


def test_the_report_needs_neither_torch_nor_mmengine_pictures_included(work):
    done = fresh('import sys; from rethink_det.cli import main; main(sys.argv[1:])', 'report', work)
    assert str(work / 'report.html') in done.out
    assert 'Detections' in (work / 'report.md').read_text()
    assert not {'torch', 'torchvision', 'cv2', 'mmengine', 'mmdet'} & done.packages
    assert len(done.modules) < 1500


def voc_study(**more):
    return StudyResults(
        'voc',
        [
            RunResult('detection', arm, seed, {'pascal_voc/mAP': ap, **more}, 'faster-rcnn')
            for arm, ap in ARMS.items()
            for seed, ap in enumerate((ap, ap + 0.01))
        ],
    )


def test_voc_has_its_own_words(tmp_path):
    voc_study(**{'pascal_voc/AP50': 0.4}).write(tmp_path)
    text = write_report(tmp_path)['markdown'].read_text()
    assert '### VOC AP\n' in text and '| unpruned | 41.5 ± 0.7 |' in text
    assert 'Scratch-B reached 38.5 ± 0.7 AP' in text
    assert 'threshold' not in text  # AP50 is the AP


def test_voc_at_several_thresholds(tmp_path):
    voc_study(**{'pascal_voc/AP50': 0.4, 'pascal_voc/AP75': 0.3}).write(tmp_path)
    rows = table(write_report(tmp_path)['markdown'].read_text(), 'VOC AP by IoU threshold')
    assert rows[0] == ['arm', 'AP', 'AP50', 'AP75']
    assert rows[2] == ['unpruned', '41.5 ± 0.7', '40.0 ± 0.0', '30.0 ± 0.0']
