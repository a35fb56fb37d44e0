"""The names of all files and folders that are ever written into a work dir."""

CURVES = 'curves.json'
"""In a detector's run: its precision-recall curves, ``'bbox'`` and ``'segm'``, see
:mod:`rethink_det.detection.evaluation.curves`."""
SHEET = 'sheet.json'
"""In a detector's run: ``classes``, ``threshold`` and ``images``, each a picture with what was
``found`` on it, see :mod:`rethink_det.detection.measuring.pictures`."""
