"""Metric, time and size of an exported network are those of one file."""

import math
from pathlib import Path

import pytest

from rethink_det import UserError, export_onnx
from rethink_det.benchmark import exported
from rethink_det.benchmark.exported import ExportTable, OpenVinoNetwork, Row, half
from rethink_det.layout import EXPORTED
from tests.tiny_classifier import trained  # noqa: F401

for module in ('onnx', 'onnxscript', 'onnxruntime'):
    pytest.importorskip(module)


def test_each_target_has_a_row_of_its_file(trained, command):  # noqa: F811
    done = command('benchmark', 'export', trained / 'run', '--rounds', 1)
    assert done.status == 0
    table = [line.split('|') for line in done.out.splitlines() if line.startswith('|')]
    head, _, *rows = [[cell.strip() for cell in line[1:-1]] for line in table]
    assert head[1] == 'accuracy/top1'
    targets = [exported.TORCH, exported.RUNTIME, exported.HALF]
    assert [row[0] for row in rows[1:4]] == targets
    itself, torch_row, full, halved = (float(row[1]) for row in rows[:4])
    assert itself == torch_row == full and abs(halved - full) <= 100 / 16  # a picture of 16
    assert float(rows[2][4]) < 1e-4 < 100 * float(rows[3][4]) < 10
    assert all(float(row[2]) > 0 for row in rows[1:])
    folder = trained / 'run' / EXPORTED
    sizes = [(folder / name).stat().st_size for name in (exported.FULL_FILE, exported.HALF_FILE)]
    assert sizes[1] < sizes[0]
    assert [row[3] for row in rows[2:4]] == [f'{size / 1e6:.2f}' for size in sizes]


def test_what_was_not_measured_is_left_empty():
    nothing = math.nan
    table = str(ExportTable('AP', [Row('a', 0.5, nothing, 1_500_000, nothing)]))
    assert table.splitlines()[-1] == '| a | 0.5 |  | 1.50 |  |'


def test_openvino_runs_the_same_file_or_is_asked_for(trained, tmp_path, monkeypatch):  # noqa: F811
    file = export_onnx(trained / 'run' / 'epoch_3.pth', tmp_path / 'a.onnx')
    if exported.has_openvino():
        images = file.exportable.random_images(1)
        assert (
            file.exportable.difference(file.exportable, OpenVinoNetwork(file.path), images) < 1e-4
        )
        (tmp_path / 'b.onnx').write_text('no network')
        with pytest.raises(UserError, match='OpenVINO cannot run'):
            OpenVinoNetwork(tmp_path / 'b.onnx')
    monkeypatch.setattr(exported, 'has_openvino', lambda: False)
    with pytest.raises(UserError, match='pip install openvino'):
        OpenVinoNetwork(Path('a.onnx'))


def test_what_is_no_network_is_not_halved():
    with pytest.raises(UserError, match='cannot be converted to float16'):
        half(b'no network')


def test_only_an_export_takes_a_place(refusal, tmp_path):
    assert 'takes a checkpoint or a work dir' in refusal('benchmark', 'export')
    assert 'the others none' in refusal('benchmark', 'import', tmp_path)
    assert 'holds no checkpoint' in refusal('benchmark', 'export', tmp_path)
