"""The notebooks run from top to bottom, in an empty folder, and what they show was made so."""

import re

import nbformat
import pytest

pytest.importorskip('nbclient', reason='needs the extra docs')

from nbclient.exceptions import CellExecutionError

from docs.generators.notebooks import FOLDER, executed
from tests.docs.shown import ROOT

NOTEBOOKS = sorted(FOLDER.glob('*.ipynb'))
each_notebook = pytest.mark.parametrize('file', NOTEBOOKS, ids=lambda file: file.stem)
SHOWS = {
    'prune_and_transfer': ['pruned  ', 'top-1 ', 'box AP '],
    'read_a_study': ['scratch-b', 'accuracy/top1', 'made from '],
}
"""Words of what is shown, whatever the numbers are."""


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == 'code']


def words(notebook):
    """All texts that are shown."""
    shown = [output for cell in code(notebook) for output in cell.outputs]
    return '\n'.join(
        str(output.get('text') or output.get('data', {}).get('text/plain', '')) for output in shown
    )


@each_notebook
def test_what_is_kept_was_shown_by_a_run_from_top_to_bottom(file):
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    cells = code(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert all(output.output_type != 'error' for cell in cells for output in cell.outputs)
    assert all(part in words(notebook) for part in SHOWS[file.stem])
    assert not re.search(r'/(tmp|root|home|work)/', file.read_text())
    assert file.stat().st_size < 400_000


def test_every_notebook_is_known():
    assert {file.stem for file in NOTEBOOKS} == set(SHOWS)
    assert '\nnotebooks: venv ' in (ROOT / 'Makefile').read_text()


@pytest.mark.slow
@each_notebook
def test_it_runs(file, tmp_path):
    notebook = executed(file, tmp_path)
    assert all(part in words(notebook) for part in SHOWS[file.stem])
    kept = nbformat.read(file, as_version=4)
    for now, before in zip(code(notebook), code(kept), strict=True):
        kinds = [[output.output_type for output in cell.outputs] for cell in (now, before)]
        assert kinds[0] == kinds[1], now.source


@pytest.mark.slow
def test_one_that_ends_in_an_error_is_noticed(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell('1 / 0')])
    nbformat.write(notebook, str(tmp_path / 'wrong.ipynb'))
    with pytest.raises(CellExecutionError, match='ZeroDivisionError'):
        executed(tmp_path / 'wrong.ipynb', tmp_path)
