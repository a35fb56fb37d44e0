"""What the shorter pieces of Python on the pages come to."""

import re

import pytest
from mmdet.registry import MODELS

from rethink_det.registry import PRUNERS
from rethink_det.training.config import load_config
from tests.docs import shown


def snippet(page, words):
    """The block of Python on a page that has these words."""
    found = [block for block in shown.blocks(shown.ROOT / page) if block.kind == 'python']
    (text,) = (block.text for block in found if words in block.text)
    return text


def run(text):
    exec(compile(text, 'page', 'exec'), {'__name__': 'page'})


@pytest.mark.parametrize('page', ['README.md', 'docs/quick_start.md'])
def test_a_published_architecture_has_its_cost(page, capsys):
    run(snippet(page, 'small.cost()'))
    assert '20,151,764 parameters, 3,100,184,576 MACs' in capsys.readouterr().out


def test_the_pruner_of_ones_own_runs(capsys):
    text = snippet('docs/tutorials/my_pruner.md', 'SpreadPruner')
    try:
        run(text)
    finally:
        PRUNERS.module_dict.pop('SpreadPruner', None)
    assert len([line for line in text.splitlines() if line.strip()]) <= 20
    macs = re.findall(r'[\d,]+', capsys.readouterr().out)
    assert macs[-1] == '125,485,696' and int(macs[0].replace(',', '')) < 70_000_000


def test_a_config_of_ones_own_builds(tmp_path):
    file = tmp_path / 'mine.py'
    file.write_text(snippet('docs/tutorials/my_backbone.md', '_base_'))
    detector = MODELS.build(load_config(file).model)
    assert detector.backbone.layer1[1].conv1.out_channels == 44


def test_a_snippet_that_is_not_there_is_noticed():
    with pytest.raises(ValueError, match='not enough values'):
        snippet('README.md', 'SpreadPruner')
