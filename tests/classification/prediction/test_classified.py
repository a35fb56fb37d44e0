"""The best classes, the surest first."""

import numpy as np

from rethink_det.classification.prediction import Classified


def test_the_best_classes_come_first_and_there_are_no_more_than_there_are():
    found = Classified(np.array([0.2, 0.5, 0.3], np.float32), ('a', 'b', 'c'), 'x.png')
    assert found.name == 'b'
    assert [(guess.label, guess.name) for guess in found.top(2)] == [(1, 'b'), (2, 'c')]
    assert [guess.name for guess in found.top()] == ['b', 'c', 'a']
    assert found.rows('x.png', 1) == [{'image': 'x.png', 'label': 1, 'class': 'b', 'score': 0.5}]
