"""Running the notebooks: ``make notebooks`` keeps what they show, a slow test asks if they run."""

from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[1] / 'notebooks'
SECONDS = 1800
"""What a cell may take."""
LEFT_OUT = ('stderr',)
"""Streams that are not kept: progress and warnings of third parties."""


def executed(file: Path, folder: Path) -> nbformat.NotebookNode:
    """A notebook as it is after it was run from top to bottom.

    Args:
        file: The notebook.
        folder: Where it is run; data and trainings are left there.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell ended in an error.
    """
    notebook = nbformat.read(file, as_version=4)
    NotebookClient(
        notebook,
        timeout=SECONDS,
        kernel_name='python3',
        record_timing=False,
        resources={'metadata': {'path': str(folder)}},
    ).execute()
    for cell in notebook.cells:
        if cell.cell_type == 'code':
            cell.outputs = [one for one in cell.outputs if one.get('name') not in LEFT_OUT]
    return notebook


def main() -> None:
    """Run them all, and keep what they show."""
    for file in sorted(FOLDER.glob('*.ipynb')):
        with TemporaryDirectory() as folder:
            nbformat.write(executed(file, Path(folder)), file)


if __name__ == '__main__':
    main()
