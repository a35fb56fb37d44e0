"""Two cats, of which both are found, a dog, which is not, and no fish: a case counted by hand."""

import numpy as np

from rethink_det.detection.evaluation.curves import RECALLS

CLASSES = ('cat', 'dog', 'fish')
CATS = [[10.0, 10, 60, 60], [80.0, 10, 140, 60]]
DOG = [10.0, 80, 60, 140]
NOWHERE = [150.0, 150, 190, 190]
# Of two cats both are found with a false alarm between, the dog is not, and there is no fish.
FOUND = [(CATS[0], 0, 0.9), (NOWHERE, 0, 0.8), (CATS[1], 0, 0.7)]
CAT = np.where(RECALLS <= 0.5, 1.0, 2 / 3)
BOTH = CAT / 2  # the mean of cat and dog
