"""The site is whole: each page is in the table of contents, links lead somewhere, no network."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip('mkdocs', reason='needs the extra docs')

from mkdocs.config import load_config

from docs.generators import hooks

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r'\]\((?!\w+:)([^)#\s]+)[^)]*\)')
FETCHED = re.compile(r'(?:<(?:script|img|iframe)[^>]+src|<link[^>]+href|url\()=?["\']?https?://')
SOURCE = re.compile(r'href="(?!\w+:)[^"#]+\.(md|ipynb)["#]')
"""A link to what pages are made from."""


@pytest.fixture(scope='module')
def pages():
    """The text of every page by its path in the site."""
    files = [*(ROOT / 'docs').rglob('*.md'), *(ROOT / 'docs').rglob('*.ipynb')]
    own = {file.relative_to(ROOT / 'docs').as_posix(): file.read_text() for file in files}
    made = hooks.generated()
    assert not own.keys() & made.keys(), 'a generated page was written down'
    return {**own, **made}


def flat(entries):
    """All pages of a table of contents."""
    for entry in entries:
        value = entry if isinstance(entry, str) else next(iter(entry.values()))
        yield from [value] if isinstance(value, str) else flat(value)


def test_every_page_is_in_the_table_of_contents_once(pages):
    config = hooks.on_config(load_config(str(ROOT / 'mkdocs.yml')))
    listed = list(flat(config.nav))
    assert sorted(listed) == sorted(pages)


def test_links_lead_to_pages_and_files(pages):
    for page, text in pages.items():
        prose = re.sub(r'```.*?```|`[^`\n]*`', '', text, flags=re.DOTALL)
        for target in LINK.findall(prose) if page.endswith('.md') else ():
            place = (Path('/') / page).parent.joinpath(target)
            path = Path(*re.sub(r'[^/]+/\.\./', '', place.as_posix()).split('/'))
            assert path.as_posix() in pages or (ROOT / 'docs' / path).is_file(), (page, target)


def build(*options):
    """As ``make docs``. With ``-q`` warnings are not counted, and so no errors."""
    command = [sys.executable, '-m', 'mkdocs', 'build', *map(str, options)]
    environment = {**os.environ, 'NO_MKDOCS_2_WARNING': '1'}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_fetches_nothing(tmp_path):
    done = build('-d', tmp_path / 'site')
    assert done.returncode == 0, done.stderr
    assert 'WARNING' not in done.stderr
    makefile = (ROOT / 'Makefile').read_text()
    assert 'NO_MKDOCS_2_WARNING=1 .venv/bin/python -m mkdocs build\n' in makefile
    for page in (tmp_path / 'site').rglob('*.html'):
        assert not FETCHED.search(page.read_text()), page
        assert not SOURCE.search(page.read_text()), page
    start = (tmp_path / 'site' / 'index.html').read_text()
    assert 'href="quick_start.html"' in start


@pytest.mark.slow
def test_a_site_with_a_broken_link_is_refused(tmp_path):
    docs = tmp_path / 'docs'
    docs.mkdir()
    (docs / 'index.md').write_text('# Start\n\n[away](nowhere.md)\n')
    config = (ROOT / 'mkdocs.yml').read_text()
    config = re.sub(r'^(hooks|nav):(.*\n)((?:[ \n].*\n|\n)*)', '', config, flags=re.MULTILINE)
    (tmp_path / 'mkdocs.yml').write_text(
        config.replace('extensions: [docs/generators/roles.py]', '')
    )
    done = build('-f', tmp_path / 'mkdocs.yml', '-d', tmp_path / 'site')
    assert done.returncode != 0 and 'nowhere.md' in done.stderr
    with pytest.raises(subprocess.CalledProcessError):
        done.check_returncode()
