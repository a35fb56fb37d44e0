"""Whatever stands in the files of a finished study: it is read, left out and said, or refused."""

import json
from contextlib import suppress

import pytest

from rethink_det.errors import UserError
from rethink_det.layout import CURVES, GRAPH, LATENCIES, RECIPE, RESULT, RESULTS, SHEET, TIMES
from rethink_det.report.cleaning import leftovers
from rethink_det.report.contact_sheet import contact_sheet
from rethink_det.report.detector_tables import class_table
from rethink_det.report.how_made import how_made_table
from rethink_det.report.latencies import Latencies, Measured, side_by_side
from rethink_det.report.page import write_report
from rethink_det.report.plots import curves_figure
from rethink_det.report.results import StudyResults
from rethink_det.report.run_files import RunFiles
from rethink_det.report.run_graph import PlannedRun, RunGraph
from rethink_det.report.run_times import Sitting, Times
from rethink_det.report.study_status import status_of
from rethink_det.report.verification import verify
from tests.fuzz.generators import file_contents
from tests.report.whole import whole_study

WHOLE, SAMPLE, REPORTS = 100, 3, 12
OF_RUNS, OF_STUDY = (RESULT, RECIPE, CURVES, SHEET, TIMES), (RESULTS, GRAPH, LATENCIES)
FILES = [*OF_RUNS, *OF_STUDY]


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A study of one seed that has all files, as right ones."""
    root = tmp_path_factory.mktemp('fuzz') / 'work'
    results = whole_study(root)
    results.runs = [run for run in results.runs if run.seed == 0]
    results.write(root)
    for run in StudyResults.read(root).runs:
        run.write()
        Times((Sitting(1.0, 'cpu', 1, 2.0),)).write(root / run.folder / TIMES)
    planned = [PlannedRun(run.key, run.stage, run.arm, run.model) for run in results.runs]
    RunGraph('s', tuple(planned)).write(root)
    Latencies('a CPU', (Measured(3.0, {'x': 'y'}),)).write(root)
    return root


def shown(root, plots=False):
    """What is wrong with files that are left out, after all that reads them."""
    files, results = RunFiles(root), StudyResults.read(root)
    detectors = [run for run in results.runs if run.stage == 'detection']
    for kind in ('bbox', 'segm'):
        curves = files.curves(detectors, kind)
        class_table(curves, kind)
        plots and curves_figure(curves)
    contact_sheet(files.pictures(detectors))
    side_by_side(detectors, files.latencies())
    how_made_table(detectors, files)
    return files.unread


@pytest.mark.parametrize('name', FILES)
@pytest.mark.parametrize('count', [SAMPLE, pytest.param(WHOLE, marks=pytest.mark.slow)])
def test_a_wrong_file_ends_in_no_traceback(count, name, folder):
    of_run = next(run for run in StudyResults.read(folder).runs if run.stage == 'detection')
    path = folder / name if name in OF_STUDY else folder / of_run.folder / name
    right = path.read_bytes()
    said = 0
    try:
        for content in file_contents(count, count, [json.loads(right)]):
            path.write_bytes(content)
            try:
                said += bool(shown(folder, plots=name == CURVES))
            except UserError as error:
                said += 1
                assert name in str(error) and '\n' not in str(error), content
            for look in (status_of, verify, leftovers):
                with suppress(UserError):
                    look(folder)
    finally:
        path.write_bytes(right)
    assert said or name in (RESULT, TIMES, GRAPH)  # these are no part of a report
    assert shown(folder) == {}


@pytest.mark.slow
def test_a_whole_report_of_wrong_files_is_written(folder):
    runs = [run for run in StudyResults.read(folder).runs if run.stage == 'detection']
    for number in range(REPORTS):
        name = (RECIPE, CURVES, SHEET)[number % 3]
        path = folder / runs[number % len(runs)].folder / name
        right = path.read_bytes()
        (content,) = file_contents(number, 1, [json.loads(right)])
        path.write_bytes(content)
        text = write_report(folder)['markdown'].read_text()
        path.write_bytes(right)
        unread = RunFiles(folder)
        assert ('could not be read' in text) == (path.name in text), unread
