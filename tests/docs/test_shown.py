"""What pages show is what it seems: each command is understood, the Python is Python."""

import re
from pathlib import Path

import pytest

from rethink_det.cli import _options
from rethink_det.study.names import find_study
from rethink_det.training.config import find_config
from tests.docs import shown

BLOCKS = [block for file in shown.pages() for block in shown.blocks(file)]
COMMANDS = list(dict.fromkeys(tuple(words) for block in BLOCKS for words in block.commands))


def test_newcomers_are_shown_every_step():
    words = {words[0] for words in COMMANDS}
    assert words >= {
        'train', 'check', 'test', 'predict', 'prune', 'convert', 'export', 'init', 'study',
        'baseline', 'report', 'analyze', 'benchmark', 'doctor',
    }  # fmt: skip


@pytest.mark.parametrize('words', COMMANDS, ids=' '.join)
def test_each_command_is_understood(words):
    options = _options(words)
    named = getattr(options, 'config', None) or getattr(options, 'study', None)
    shipped = named and not re.search(
        r'\$|^CONFIG$|^[\w-]+(\.py)?$|^(work|whole|prune|mine|elsewhere)', named
    )
    if shipped:
        assert find_study(named) if words[0] == 'study' else find_config(named)


def test_a_command_that_is_not_shown_is_refused():
    with pytest.raises(SystemExit, match='2'):
        _options(['sculpt', 'resnet34-a'])


def test_python_is_python():
    for block in BLOCKS:
        if block.kind == 'python':
            compile(block.text, block.page, 'exec')


def test_what_is_not_run_says_why_and_where_else_it_is():
    reasons = [block for block in BLOCKS if block.reason]
    assert reasons
    for block in reasons:
        assert len(block.reason.split()) >= 4, (block.page, block.line)
        for place in re.findall(r'\b(?:tests|docs)/[\w/]+(?:\.\w+)?', block.reason):
            assert (shown.ROOT / place).exists(), (block.page, block.line, place)


@pytest.mark.parametrize(
    'text', ['```\nmake\n```\n', '```bash\nmake\n', '* a\n\n  ```bash\n  make\n  ```\n```\n']
)
def test_a_block_that_would_be_passed_over_is_refused(text, tmp_path, monkeypatch):
    monkeypatch.setattr(shown, 'ROOT', tmp_path)
    (tmp_path / 'page.md').write_text(f'# Page\n\n{text}')
    with pytest.raises(ValueError, match='page.md: a fence has no kind'):
        shown.blocks(tmp_path / 'page.md')


def test_a_block_is_read_with_its_file_and_its_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(shown, 'ROOT', tmp_path)
    (tmp_path / 'page.md').write_text(
        '# Page\n\n<!-- not run: for want of time -->\n```bash\nrethink-det train a.py \\\n'
        '    --seed 1  # slow\n```\n\n```python title="a.py"\nx = 1\n```\n'
    )
    first, second = shown.blocks(tmp_path / 'page.md')
    assert first.commands == [['train', 'a.py', '--seed', '1']] and first.line == 3
    assert (first.reason, second.reason) == ('for want of time', '')
    assert (first.title, second.title, second.text) == ('', 'a.py', 'x = 1\n')


def test_the_changelog_names_no_missing_page():
    text = Path(shown.ROOT / 'CHANGELOG.md').read_text()
    for target in re.findall(r'\]\((docs/[^)#]+)', text):
        assert (shown.ROOT / target).exists(), target
