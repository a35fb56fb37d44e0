"""What a repository has beside its code is true: who to cite, where to put what, what to report."""

import re

import pytest
import yaml

from rethink_det import __version__
from tests.docs.shown import ROOT

TEMPLATES = sorted((ROOT / '.github' / 'ISSUE_TEMPLATE').glob('*.yml'))
CONTRIBUTING = (ROOT / 'CONTRIBUTING.md').read_text()
CHANGELOG = (ROOT / 'CHANGELOG.md').read_text()


def places(text):
    """Files and folders that a page names, but for those that are to be written."""
    named = re.findall(r'`((?:rethink_det|tests|configs|tools|docs)/[\w/]+(?:\.\w+)?/?)`', text)
    return [place for place in named if not re.search(r'NAME|/a/', place)]


def test_files_that_contributors_are_sent_to_are_there():
    assert len(places(CONTRIBUTING)) > 15
    assert [place for place in places(CONTRIBUTING) if not (ROOT / place).exists()] == []


def test_names_in_those_files_are_there():
    for name, place in [
        ('METHODS', 'tests/pruning/test_every_method.py'),
        ('BACKBONES', 'tests/classification/backbones/test_backbones.py'),
        ('own_name', 'rethink_det/convert/tensor_names.py'),
        ('read_subnet', 'rethink_det/convert/subnet.py'),
    ]:
        assert f'`{name}`' in CONTRIBUTING
        assert re.search(rf'^(def )?{name}\b', (ROOT / place).read_text(), re.MULTILINE), place


def test_the_citation_is_of_this_release():
    cited = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
    assert cited['authors'] == [{'name': 'The rethink_det authors'}]
    assert cited['license'] == 'Apache-2.0' and cited['cff-version'] == '1.2.0'
    assert f'\n## [{cited["version"]}] - {cited["date-released"]}\n' in CHANGELOG
    assert cited['version'] == __version__


@pytest.mark.parametrize('file', TEMPLATES, ids=lambda file: file.stem)
def test_issue_templates_are_forms(file):
    form = yaml.safe_load(file.read_text())
    if file.stem == 'config':
        assert set(form) == {'blank_issues_enabled'}
        return
    assert {'name', 'description', 'body'} <= set(form)
    for part in form['body']:
        assert part['attributes']['label'] and part['id']


def test_a_file_that_is_not_there_is_noticed():
    (missing,) = places('see `tests/nowhere/test_gone.py`')
    with pytest.raises(FileNotFoundError):
        (ROOT / missing).read_text()
