"""The names of all files and folders that are ever written into a work dir.

A *work dir* is the folder of a study, of a single training run, or of a run within a study. What
MMEngine writes into it besides (``epoch_*.pth``, ``last_checkpoint``, its logs) is MMEngine's own
affair; :func:`rethink_det.training.resumable.last_checkpoint` asks it.
"""

import itertools
import re
from pathlib import Path

WORK_DIRS = 'work_dirs'
"""Where commands put a work dir of its own for each config, unless they are told another."""

# -- a study ---------------------------------------------------------------------------------

RESULTS = 'results.json'
"""Every run of a study: what it cost and what it reached, see
:mod:`rethink_det.report.results`."""

LATENCIES = 'latencies.json'
"""How long the detectors of a study take for an image, measured side by side, see
:mod:`rethink_det.report.latencies`."""

GRAPH = 'graph.json'
"""How a study was asked for, its runs, and which need which, see
:mod:`rethink_det.report.run_graph`."""

JOBS = 'jobs'
"""Folder of what a cluster's jobs are given and print, see :mod:`rethink_det.study.slurm`."""

RUNS = 'runs'
"""Folder of a study's runs, see :func:`run_folder`."""

REPORT_MARKDOWN, REPORT_CSV, REPORT_HTML = 'report.md', 'report.csv', 'report.html'
"""The report of a study: as text, as a table of all runs, and as a page of its own."""

REPORT_TIDY = 'report_tidy.csv'
"""The runs again, with a line for each run and metric."""

REPORT_LATEX = 'report.tex'
"""Tables for a paper, see :mod:`rethink_det.report.latex`."""

COMPARISON_MARKDOWN = 'comparison.md'
"""Two studies side by side as text, in a folder of their own."""

COMPARISON_HTML = 'comparison.html'
"""The same as a page, see :mod:`rethink_det.report.two_studies`."""

PLOTS = 'plots'
"""Folder of the report's pictures, see :func:`plot_file`."""

SWEEP_TABLE = 'sweep.md'
"""What each network of a sweep came to, see :mod:`rethink_det.benchmark.sweep`."""

# -- a run -----------------------------------------------------------------------------------

RESULT = 'result.json'
"""What a run of a study came to. It is written last: who finds it finds a finished run."""

CONFIG = 'config.py'
"""The resolved config of a run of a study."""

RECIPE = 'recipe.json'
"""All that the result of a study's run follows from, see :mod:`rethink_det.study.recipe`. It is
written first: by it a run that was broken off is known, and a finished one."""

ARCHITECTURE = 'architecture.json'
"""What the run's network is, see :class:`rethink_det.architecture.PrunedArchitecture`."""

PARENT = 'parent.pth'
"""A given parent of a study, checked and made self-describing, in place of one it trains."""

INITIAL = 'initial.pth'
"""The weights that a training of an unpruned classifier started from: a lottery ticket."""

INHERITED = 'inherited.pth'
"""The pruned classifier of a study, with the weights that its parent left it."""

PRUNED = 'pruned.pth'
"""The pruned detector of a study, with the weights that its parent left it."""

CONSOLE = 'console.log'
"""Everything that a run of a study printed."""

TIMES = 'times.json'
"""When a run was begun, and how long it took each time, see :mod:`rethink_det.report.run_times`."""

PROGRESS = 'progress.txt'
"""How far a run is: iterations done, and in all."""

EVALUATION = 'evaluation'
"""Folder of the logs of tests within the work dir of a training. MMEngine writes the config of
whatever it runs into the work dir, under the name of its file: that of the training must stay."""

TOGETHER = 'together.json'
"""As which of how many members of a group a training is computed, see
:mod:`rethink_det.training.together.place`."""

TRIALS = 'trials'
"""Folder of the trials of learning rates that a run made first, see :func:`trial_folder`."""

CURVES = 'curves.json'
"""In a detector's run: its precision-recall curves, ``'bbox'`` and ``'segm'``, or
``'unmeasured'``, why there are none, see :mod:`rethink_det.detection.evaluation.curves`."""

SAMPLES = 'samples.png'
"""Images of the first batch as the network is handed them, which ``rethink-det check`` writes."""

PREDICTIONS = 'predictions.json'
"""What ``rethink-det predict --json`` found, beside the pictures that it drew."""

EXPORTED = 'exported'
"""Folder of the files of ``rethink-det benchmark export``, see
:mod:`rethink_det.benchmark.exported`."""

REPLICATES = 'replicates.json'
"""In a run's folder: of which test images its metrics are, and what they would be on others, see
:mod:`rethink_det.report.image_replicates`."""

SHEET = 'sheet.json'
"""In a detector's run: ``classes``, ``threshold`` and ``images``, each a picture with what was
``found`` on it, see :mod:`rethink_det.detection.measuring.pictures`."""


def run_folder(key: str, identity: str) -> Path:
    """Where a run lies within the folder of its study.

    Args:
        key: Of the run, ``'classification/scratch-e-seed0'``.
        identity: Its digest, of which the first eight digits; ``'*'`` for a pattern of them all.
    """
    return Path(RUNS) / f'{key}-{identity[:8]}'


def folders_of(root: Path, key: str) -> list[Path]:
    """The folders of a run, of this recipe or another, within that of its study; newest last.

    Args:
        root: Folder of the study.
        key: Of the run.
    """
    pattern = root / run_folder(key, '*')
    found = (folder for folder in pattern.parent.glob(pattern.name) if folder.is_dir())
    mine = [folder for folder in found if re.fullmatch('[0-9a-f]{8}', folder.name[-8:])]
    mine = [folder for folder in mine if folder.name[:-9] == pattern.name[:-2]]
    return sorted(mine, key=lambda folder: folder.stat().st_mtime)


CARD = 'card.md'
"""What the run's checkpoint is and came to, see :mod:`rethink_det.report.model_card`."""


LEFT = INITIAL, CONFIG, RECIPE, REPLICATES, CURVES, SHEET
"""What a run may leave beside its weights and its architecture, and others read."""

KEPT = TIMES, PROGRESS, TOGETHER
"""What a run keeps of itself while it goes on."""

RUN_FILES = *LEFT, *KEPT, RESULT, CARD, ARCHITECTURE, PARENT, INHERITED, PRUNED, CONSOLE
"""All that a run of a study writes into its folder, but for what MMEngine does."""


def lock_file(run: Path, owner: str) -> Path:
    """Where a process says that it does a run, see :mod:`rethink_det.report.run_lock`.

    Args:
        run: Folder of the run, beside which it lies.
        owner: What tells the process from others; ``'*'`` for a pattern of them all.
    """
    return run.with_name(f'.{run.name}.{owner}.lock')


ASIDE = 'changed'
"""How the name of a folder begins whose run was changed since it was finished."""


def set_aside(folder: Path) -> Path:
    """Where a run's folder goes that was changed since: beside it, under a name no run has.

    Args:
        folder: Of the run.
    """
    places = (folder.with_name(f'{ASIDE}{n or ""}-{folder.name}') for n in itertools.count())
    return next(place for place in places if not place.exists())


def trial_folder(run: Path, lr: float) -> Path:
    """Where a run's trial of a learning rate lies.

    Args:
        run: Folder of the run.
        lr: The rate.
    """
    return run / TRIALS / f'lr{lr!r}'


def plot_file(section: str, kind: str) -> Path:
    """Where a picture of the report lies within the folder of its study.

    Args:
        section: What it is of, ``'detection_faster-rcnn'``.
        kind: What it shows, ``'compute'``.
    """
    return Path(PLOTS) / f'{section}_{kind}.png'
