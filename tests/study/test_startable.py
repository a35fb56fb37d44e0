"""Whether a study can start: what would fail in one of its runs is refused before the first."""

import pytest
import torch

from rethink_det.architecture.checkpoint import save_checkpoint
from rethink_det.classification.arm_config import classifier_architecture
from rethink_det.errors import UserError
from rethink_det.study.config import Study
from rethink_det.study.startable import check_startable
from rethink_det.training.config import load_config

PRUNER = dict(type='L1NormPruner', ratios=0.5)


@pytest.fixture
def asking(study, tmp_path):
    """Looks at a study of the tiny classifier, with keys of its classification set."""
    study()

    def ask(options=None, **plan):
        parts = dict(config='net.py', arms=['scratch-e'], pruner=PRUNER, options=options or {})
        text = f'study = dict(seeds=[0], classification={parts | plan!r})'
        (tmp_path / 'asked.py').write_text(text)
        check_startable(Study.load(tmp_path / 'asked.py'))

    return ask


@pytest.fixture
def whole(asking, tmp_path):
    """A checkpoint of the tiny classifier, unpruned."""
    architecture = classifier_architecture(load_config(tmp_path / 'net.py'))
    meta = {'architecture': architecture.to_dict()}
    state = architecture.build_network().state_dict()
    save_checkpoint({'meta': meta, 'state_dict': state}, tmp_path / 'whole.pth')
    return 'whole.pth'


def test_what_can_start_is_left_alone_whatever_its_data_are(asking, whole, tmp_path):
    asking()
    asking({'train_dataloader.dataset.type': 'rethink_det.NoSuchData'})
    asking(parent=whole)
    asking(pruner=PRUNER | dict(ratios={'layer1.*': 0.3}, skip=['layer2.*']))
    assert sorted(path.suffix for path in tmp_path.iterdir()) == ['.pth', '.py', '.py', '.py']


@pytest.mark.parametrize(
    'plan, words',
    [
        (dict(options={'model.backbone.depth': 9}), 'backbone .* cannot be built: depth must be'),
        (dict(options={'optim_wrapper.optimizer.lr': None}), "'SGD' cannot be built: "),
        (dict(pruner=PRUNER | dict(ratios={'no.*': 0.5})), r"'no\.\*' matches no prunable layer"),
        (
            dict(pruner=PRUNER | dict(skip='conv1')),
            "classification.pruner: 'conv1' matches no prun",
        ),
        (dict(pruner=PRUNER | dict(skip='none', groups='coupled')), "'none' matches no prunable "),
        (dict(parent='whole.pth', ema=True), 'whole.pth has no averaged weights'),
        (dict(parent='gone.pth'), 'gone.pth does not exist'),
        (dict(pruned='whole.pth', pruner=None), 'whole.pth is a whole network'),
        (dict(pruned='bare.pth', pruner=None), 'bare.pth'),
    ],
)
def test_what_would_fail_later_is_refused_now(asking, whole, tmp_path, plan, words):
    torch.save({'conv1.weight': torch.zeros(1)}, tmp_path / 'bare.pth')
    with pytest.raises(UserError, match=words):
        asking(**plan)


def test_variants_are_looked_at_one_by_one(asking):
    good, bad = dict(pruner=PRUNER), dict(pruner=PRUNER | dict(ratios={'no.*': 0.5}))
    asking(pruner=None, variants=dict(a=good))
    with pytest.raises(UserError, match="pruner: 'no"):
        asking(pruner=None, variants=dict(a=good, b=bad))
