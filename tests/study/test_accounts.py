"""The ledger of a whole study, recomputed by hand from sizes, images and epochs.

In words: the classifier is trained 2 epochs on 64 images and tested on 32; the detector 1 epoch on
4, and tested on 2; an evaluation is made after the last epoch of each.
"""

import shutil
from pathlib import Path

import pytest

from rethink_det.architecture import PrunedArchitecture
from rethink_det.detection.measuring.cost import detector_cost
from rethink_det.detection.measuring.detector import DetectorAtWork
from rethink_det.report import RunResult
from rethink_det.report.spent import CPU, NOTHING
from rethink_det.study import ledger
from rethink_det.study.config import Study
from rethink_det.study.execute import execute_study
from rethink_det.training.config import load_config

pytestmark = pytest.mark.slow
LEGACY = Path(__file__).parent / 'legacy'
THINET = dict(type='ThiNetPruner', ratios=0.5, images=20)
TAYLOR = dict(type='ImportancePruner', importance='taylor', ratios=0.5, images=6)
SLIMMING = dict(type='NetworkSlimmingPruner', ratio=0.3)
EACH = ['unpruned', 'fine-tune', 'rewind', 'scratch-e', 'scratch-b', 'scratch-total', 'lottery']
DETECTORS = [
    'unpruned', 'unpruned-d', 'prune-c', 'prune-d', 'scratch-e', 'random', 'scratch-d',
]  # fmt: skip
GIVEN = ['prune-d', 'unpruned-d', 'scratch-d']


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """With the configs, and the data once; the studies are run here."""
    folder = tmp_path_factory.mktemp('accounts')
    for name in ('classifier.py', 'detector.py'):
        shutil.copy(LEGACY / name, folder)
    measure = DetectorAtWork.latency_ms
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(DetectorAtWork, 'latency_ms', lambda work: measure(work, seconds=0))
        yield folder


def done(folder, name, detectors, **classification):
    """Every run of a study, by its key without the seed; those that prune, too."""
    parts = dict(config='classifier.py', arm_settings=dict(fine_tune_epochs=1)) | classification
    detection = [dict(config='detector.py', arms=detectors)] if detectors else []
    (folder / f'{name}.py').write_text(
        f'study = dict(seeds=[0], classification={parts!r}, detection={detection!r})'
    )
    results = execute_study(Study.load(folder / f'{name}.py'), folder / name)
    assert not results.incomplete
    root = folder / name
    runs = (RunResult.read(path.parent, root) for path in root.rglob('result.json'))
    shown = {run.key: run for run in results.runs}
    return {run.key.removesuffix('/seed0'): shown.get(run.key, run) for run in runs}


@pytest.fixture(scope='module')
def own(folder):
    return done(folder, 'own', DETECTORS, pruner=THINET, arms=EACH)


@pytest.fixture(scope='module')
def given(folder, own):
    parent = str(own['classification/classifier/unpruned'].checkpoint_path)
    arms = dict(arms=['fine-tune', 'rewind'])
    return done(folder, 'given', GIVEN, pruner=TAYLOR, parent=parent, **arms)


def macs(run):
    """Of a classifier's network, by its architecture alone."""
    return PrunedArchitecture.load(run.architecture_path).cost().macs


BIG, SMALL = 'classification/classifier/unpruned', 'pruning/classifier/pruned'


@pytest.fixture(scope='module')
def sizes(own):
    """MACs of the whole classifier and the pruned one, of the whole detector and the pruned."""
    found = [macs(own[BIG]), macs(own[SMALL])]
    for arm in ('unpruned', 'prune-d'):
        config = load_config(own[f'detection/detector/{arm}'].place / 'config.py')
        found.append(detector_cost(config, (3, 64, 64)).whole.macs)
    return found


def told(spent):
    return spent.training, spent.pruning, spent.evaluation


def test_classifiers(own, sizes):
    whole, small, *_ = sizes
    assert small < whole
    search = 20 * 3 * whole  # three layers lose channels, each after a look at twenty images
    epochs = {arm: own[f'classification/classifier/{arm}'].epochs for arm in EACH}
    assert epochs == {
        **dict.fromkeys(EACH, 2),
        'fine-tune': 1,
        'scratch-b': round(2 * whole / small),
        'scratch-total': round((2 * whole + search / (3 * 64)) / small + 1),
    }
    parent = 3 * whole * 64 * 2, 0, whole * 32
    for arm, lasted in epochs.items():
        run = own[f'classification/classifier/{arm}']
        size = whole if arm == 'unpruned' else small
        training, evaluation = 3 * size * 64 * lasted, size * 32
        assert told(run.spent) == (training, 0, evaluation)
        inherits = arm in ('fine-tune', 'rewind', 'lottery')
        total = training + inherits * parent[0], inherits * search, evaluation
        assert told(run.total_spent) == (*total[:2], total[2] + inherits * parent[2])
        assert (run.train_macs, run.total_train_macs) == (training, total[0])
        assert run.total_spent.not_counted == ()


def test_pruning_with_data(own, sizes):
    run = own[SMALL]
    assert told(run.spent) == (0, 20 * 3 * sizes[0], 0)
    assert told(run.total_spent)[0] == own[BIG].train_macs
    assert run.shape_spent == NOTHING  # the widths were given, whatever the images say


def test_detectors(own, sizes):
    whole, small, detector, pruned = sizes
    classifier = 3 * whole * 64 * 2, 0, whole * 32
    tuned = 3 * small * 64, 60 * whole, small * 32
    before = 3 * detector * 4, 0, detector * 2
    search = 4 * 3 * detector  # there are but four images
    training, evaluation = 3 * pruned * 4, pruned * 2
    as_prune_d = round((detector + pruned) / pruned)
    assert as_prune_d > 1
    scratch = 3 * small * 64 * 2, 0, small * 32
    needed = {
        'prune-c': [classifier, tuned],
        'prune-d': [classifier, before, (0, search, 0)],
        'scratch-e': [scratch],
        'random': [],
        'scratch-d': [],
    }
    for arm, parts in needed.items():
        run = own[f'detection/detector/{arm}']
        assert run.epochs == (as_prune_d if arm == 'scratch-d' else 1)
        mine = training * run.epochs, 0, evaluation
        assert told(run.spent) == mine
        expected = [sum(column) for column in zip(mine, *parts, strict=True)]
        assert told(run.total_spent) == tuple(expected)
        assert run.total_train_macs == expected[0]
    big = own['detection/detector/unpruned']
    assert told(big.spent) == before
    assert told(big.total_spent) == tuple(map(sum, zip(before, classifier, strict=True)))
    longer = own['detection/detector/unpruned-d']  # the same once more, from the trained detector
    assert told(longer.spent) == before
    both = zip(before, before, classifier, strict=True)
    assert told(longer.total_spent) == tuple(map(sum, both))


def test_pruning_of_a_detector_with_data(own, sizes):
    run = own['detector-pruning/detector/pruned']
    assert told(run.spent) == (0, 4 * 3 * sizes[2], 0)
    assert (run.macs, run.macs_of) == (sizes[3], 'detector')
    assert run.shape_spent == NOTHING


def test_epochs_of_the_weights_before(own):
    earlier = {key: run.earlier_epochs for key, run in own.items()}
    assert earlier['classification/classifier/fine-tune'] == (2,)
    assert earlier['classification/classifier/rewind'] == (2,)
    assert earlier['classification/classifier/lottery'] == ()  # its weights were never trained
    assert earlier['classification/classifier/scratch-e'] == ()
    assert earlier['classification/classifier/scratch-total'] == ()
    assert earlier['detection/detector/prune-d'] == (1,)
    assert earlier['detection/detector/unpruned-d'] == (1,)
    assert earlier['detection/detector/scratch-d'] == ()
    assert earlier['detection/detector/prune-c'] == ()


def test_hours_add_up_along_the_way(own):
    def seconds(*keys):
        return sum(own[key].spent.device_s[CPU] for key in keys)

    assert all(run.spent.device_s[CPU] > 0 for run in own.values())
    tune = 'classification/classifier/fine-tune'
    ways = {
        tune: (tune, SMALL, BIG),
        'classification/classifier/scratch-e': ('classification/classifier/scratch-e',),
        'detection/detector/prune-d': (
            'detection/detector/prune-d', 'detector-pruning/detector/pruned',
            'detection/detector/unpruned', BIG,
        ),
        'detection/detector/unpruned-d': (
            'detection/detector/unpruned-d', 'detection/detector/unpruned', BIG,
        ),
        'detection/detector/scratch-d': ('detection/detector/scratch-d',),
    }  # fmt: skip
    for key, way in ways.items():
        assert own[key].total_spent.device_s[CPU] == pytest.approx(seconds(*way))
        assert own[key].wall_s <= own[key].spent.device_s[CPU] + 0.01


def test_a_given_parent_and_a_pruner_with_gradients(given, sizes):
    whole, small, detector, pruned = sizes
    parent = given[BIG]
    assert (parent.train_macs, parent.spent.evaluation) == (None, whole * 32)
    assert parent.total_spent.training is None
    tuned = given['classification/classifier/fine-tune']
    assert told(tuned.spent) == (3 * small * 64, 0, small * 32)
    looks = 6 * (1 + 2)  # a backward pass costs two forward ones
    assert told(tuned.total_spent) == (None, looks * whole, (whole + small) * 32)
    assert tuned.earlier_epochs == (None,)
    named = {ledger.UNKNOWN_PARENT, ledger.ELSEWHERE}
    assert set(tuned.total_spent.not_counted) == named
    again = given['classification/classifier/rewind']
    assert told(again.spent) == (3 * small * 64 * 2, 0, small * 32)
    assert (again.total_spent.training, again.total_spent.pruning) == (None, looks * whole)
    run = given['detection/detector/prune-d']
    searched = 4 * (1 + 2) * detector
    assert told(run.total_spent)[1:] == (
        searched, whole * 32 + (detector + pruned) * 2,
    )  # fmt: skip
    assert run.total_train_macs is None and set(run.total_spent.not_counted) == named
    longer = given['detection/detector/unpruned-d']
    assert told(longer.total_spent) == (None, 0, whole * 32 + detector * 2 * 2)
    drawn = given['detection/detector/scratch-d']  # owes nothing to anybody
    lasted = round((detector + pruned) / pruned)
    assert told(drawn.total_spent) == (3 * pruned * 4 * lasted, 0, pruned * 2)


def test_epochs_that_are_told_make_it_known(folder, own, given, sizes):
    whole, small, *_ = sizes
    parent = str(own[BIG].checkpoint_path)
    arms = ['fine-tune', 'rewind', 'scratch-total']
    more = dict(pruner=TAYLOR, parent=parent, parent_epochs=2, arms=arms)
    found = done(folder, 'given', [], **more)
    tuned, again, drawn = (found[f'classification/classifier/{arm}'] for arm in arms)
    assert tuned.total_train_macs == 3 * whole * 64 * 2 + 3 * small * 64
    assert tuned.total_spent.not_counted == (ledger.ELSEWHERE,)
    assert tuned.digest == given['classification/classifier/fine-tune'].digest
    assert again.total_train_macs == 3 * (whole + small) * 64 * 2
    assert drawn.epochs == round(2 * whole / small + 1)
    assert drawn.total_train_macs == drawn.train_macs == 3 * small * 64 * drawn.epochs


def test_a_shape_that_weights_tell_owes_their_training(folder, own, sizes):
    found = done(folder, 'slim', ['scratch-d'], pruner=SLIMMING, arms=['scratch-e'])
    run = found['classification/classifier/scratch-e']
    assert run.total_train_macs == 3 * sizes[0] * 64 * 2 + run.train_macs
    assert run.total_spent.evaluation == sizes[0] * 32 + run.macs * 32
    whole, _, detector, _ = sizes
    drawn = found['detection/detector/scratch-d']  # of the shape that the trained detector told
    trained = 3 * whole * 64 * 2 + 3 * detector * 4
    assert drawn.total_train_macs == trained + drawn.train_macs
    assert drawn.total_spent.evaluation == whole * 32 + (detector + drawn.macs) * 2
