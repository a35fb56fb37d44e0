"""docs/tutorials/photos.md is a user's whole way, on real photos, with little training."""

import glob
import re
import shutil
from pathlib import Path

import pytest

from rethink_det.report.results import StudyResults
from tests.docs import shown

PAGE = shown.ROOT / 'docs' / 'tutorials' / 'photos.md'
LINES = [words for block in shown.blocks(PAGE) if block.kind == 'bash' for words in block.lines]
FEWER = [(r'epochs=\d+$', 'epochs=1'), (r'epoch_24', 'epoch_1'), (r'epoch_6', 'epoch_*')]
MORE = {'train': ['train_cfg.max_epochs=1'], 'study': ['study.seeds=[0,1]']}


def shorter(words):
    """A command line that takes less long; a shell's patterns become what they mean."""
    for pattern, less in FEWER:
        words = [re.sub(pattern, less, word) for word in words]
    if words[0] in MORE and words[1].endswith('.py'):
        words = [*words, *([] if '--cfg-options' in words else ['--cfg-options']), *MORE[words[0]]]
    return [found for word in words for found in sorted(glob.glob(word))[-1:] or [word]]


@pytest.fixture
def photos(shared, tmp_path, monkeypatch):
    """A user's folder, with photos in it."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(shared / 'data' / 'raccoon', tmp_path / 'photos')
    return tmp_path


def scores(out):
    return re.findall(r'^coco/bbox_mAP: (\S+)$', out, re.MULTILINE)


def test_all_of_it_is_this_packages_own_but_one_move():
    assert [words[0] for words in LINES if words[0] != 'rethink-det'] == ['mv']
    said = {words[1] for words in LINES} - {'mine'}
    assert said == {'train', 'init', 'study', 'predict', 'export', 'pack', 'test', 'report'}


@pytest.mark.slow
def test_photos_become_a_small_detector_that_is_moved(photos, command):
    told = {}
    for program, *words in LINES:
        if program == 'mv':
            Path(words[0]).rename(words[1])
            continue
        line = shorter(words)
        done = command(*line)
        assert done.status == 0, (line, done.err[-2000:])
        told[' '.join(words[:2])] = done
    assert '160 training images, 1 class (raccoon)' in (photos / 'elsewhere/study.py').read_text()
    results = StudyResults.read(photos / 'elsewhere' / 'study')
    (pruned,) = (r for r in results.runs if (r.stage, r.arm, r.seed) == ('detection', 'prune-d', 0))
    (whole,) = (r for r in results.runs if (r.stage, r.arm, r.seed) == ('detection', 'unpruned', 0))
    assert pruned.macs == pytest.approx(0.75 * whole.macs, rel=0.02)
    tested = next(done for words, done in told.items() if words.startswith('test '))
    assert float(scores(tested.out)[0]) == pytest.approx(pruned.metrics['coco/bbox_mAP'], abs=1e-3)
    for folder in ('pictures', 'found'):
        assert len([*(photos / 'elsewhere' / folder).glob('*.jpg')]) == 40
    assert '12 finished runs as left; 0 wrong' in told['study verify'].out
    assert (photos / 'elsewhere' / 'raccoon.zip').stat().st_size > 10_000


def test_a_folder_that_was_moved_away_is_refused(photos, refusal):
    assert 'mine/backbone/epoch_24.pth' in refusal(*LINES[1][1:])
    assert 'elsewhere' in refusal('report', 'elsewhere/study')
