"""The report shows every number, loads nothing from outside, and escapes what it is given."""

import csv
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from rethink_det.errors import UserError
from rethink_det.report.page import write_report
from rethink_det.report.results import StudyResults
from rethink_det.report.run_result import Reference, RunResult

CLASSIFICATION = {
    'unpruned': (94.11, 94.29, 93.96),
    'fine-tune': (93.75, 93.56, 93.57),
    'scratch-e': (93.68, 93.42, 93.39),
    'scratch-b': (93.81, 93.87, 93.7),
}


DETECTION = {'prune-c': (0.388, 0.394), 'scratch-b': (0.377, 0.379), 'random': (0.278, 0.271)}


HOSTILE = '<script>alert("$x$ | y")</script>'


def study():
    """A made-up study: both stages, one failed run, one diverged, one hostile model name."""
    runs = [
        RunResult(
            'classification', arm, seed, {'accuracy/top1': value}, 'tiny', params=11_170_000,
            macs=557e6, epochs=160, input_shape=(3, 32, 32), latency_ms=2.5, latency_device='cpu',
            total_train_macs=1e15 * (1 if arm == 'unpruned' else 1.5),
            reference=Reference(93.49, 'Table 2'),
        )
        for arm, values in CLASSIFICATION.items()
        for seed, value in enumerate(values)
    ]  # fmt: skip
    runs += [
        RunResult('detection', arm, seed, {'coco/bbox_mAP': v, 'coco/segm_mAP': v / 2}, HOSTILE)
        for arm, values in DETECTION.items()
        for seed, v in enumerate(values)
    ]
    runs.append(RunResult('detection', 'random', 2, {'coco/bbox_mAP': None}, HOSTILE))
    failed = RunResult('detection', 'prune-d', 0, {}, HOSTILE, 'failed', error='loss <b>is</b> NaN')
    return StudyResults('made-up', [*runs, failed], 'A & B', 'Why.', {'versions': {'torch': '2'}})


@pytest.fixture(scope='module')
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp('study')
    study().write(folder)
    return write_report(folder)


class Page(HTMLParser):
    """Collects what a page would load and checks that its tags close in order."""

    def __init__(self):
        super().__init__()
        self.links, self.tags, self.open = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for key, value in attrs if key in ('src', 'href', 'xlink:href')]
        if tag not in ('meta', 'br', 'img', 'link'):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_one_file_that_loads_nothing(report):
    html = report['html'].read_text(encoding='utf-8')
    page = Page()
    page.feed(html)
    assert page.open == []
    assert all(link.startswith('#') for link in page.links)
    assert not re.search(r'https?:|@import|url\((?!#)', html)
    assert {'script', 'link', 'img', 'iframe'}.isdisjoint(page.tags)
    assert html.count('<svg role="img"') == 3  # two plots with compute, one without


@pytest.mark.parametrize('kind', ['markdown', 'html'])
def test_every_seed_and_every_sentence_is_shown(report, kind):
    text = report[kind].read_text(encoding='utf-8').replace('\xa0', ' ')
    for values in CLASSIFICATION.values():
        assert ' · '.join(f'{value:.2f}' for value in values) in text
    for values in DETECTION.values():
        assert ' · '.join(f'{100 * value:.1f}' for value in values) in text
        assert ' · '.join(f'{50 * value:.1f}' for value in values) in text
    for said in study().conclusions:
        assert said.sentence in text
    for words in ('11.2 M', 'MACs at 3×32×32', '557 M', '1.50 ×', '93.49 (Table 2)', 'torch'):
        assert words in text
    assert 'left out: random seed 2' in text


def test_the_verdict_comes_before_any_table(report):
    text = report['markdown'].read_text(encoding='utf-8')
    title, overall = text.split('\n\n')[:2]
    assert title == '# A & B' and overall.startswith('**Over 2 comparisons, ')


@pytest.mark.parametrize('kind', ['markdown', 'html'])
def test_names_and_errors_stay_text(report, kind):
    text = report[kind].read_text(encoding='utf-8')
    assert '<script' not in text and '<b>' not in text
    assert '&lt;b' in text and 'prune-d' in text


def test_markdown_tables_have_one_width_and_their_images_exist(report):
    text = report['markdown'].read_text(encoding='utf-8')
    for block in re.findall(r'(?:^\|.*\n?)+', text, flags=re.MULTILINE):
        lines = block.strip().split('\n')
        assert len({len(re.findall(r'(?<!\\)\|', line)) for line in lines}) == 1
    images = re.findall(r'!\[[^]]*\]\(plots/([^)]+)\)', text)
    assert sorted(images) == sorted(path.name for path in report['plots'].iterdir())
    heads = [(report['plots'] / name).read_bytes()[:4] for name in images]
    assert heads == [b'\x89PNG'] * 3


def test_the_table_of_runs_has_one_line_a_run_with_raw_values(report):
    with report['csv'].open(encoding='utf-8', newline='') as file:
        lines = list(csv.DictReader(file))
    runs = study().runs
    assert [(r['arm'], int(r['seed'])) for r in lines] == [(r.arm, r.seed) for r in runs]
    assert lines[0]['metrics.accuracy/top1'] == '94.11' and lines[0]['params'] == '11170000'
    assert lines[-1]['status'] == 'failed' and lines[-1]['metrics.accuracy/top1'] == ''


def test_the_same_results_give_the_same_bytes(report, tmp_path):
    study().write(tmp_path)
    again = write_report(tmp_path)
    for kind in ('markdown', 'csv', 'html'):
        assert again[kind].read_bytes() == report[kind].read_bytes()


@pytest.mark.parametrize('status', ['failed', None])
def test_a_study_without_scores_still_has_a_report(tmp_path, status):
    runs = [RunResult('classification', 'fine-tune', 0, status=status)] if status else []
    StudyResults('empty', runs).write(tmp_path)
    text = write_report(tmp_path)['markdown'].read_text(encoding='utf-8')
    assert ('has no score yet' if status else 'Nothing can be said yet') in text


def test_a_folder_without_results_is_refused_and_left_alone(tmp_path):
    with pytest.raises(UserError, match='run the study first'):
        write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_contradicting_runs_make_no_report(tmp_path):
    text = study().write(tmp_path).read_text(encoding='utf-8')
    (tmp_path / 'results.json').write_text(text.replace('"seed": 1', '"seed": 0'), 'utf-8')
    with pytest.raises(UserError, match='two completed runs'):
        write_report(tmp_path)
    assert not list(tmp_path.glob('report.*'))


def test_a_damaged_results_file_is_refused(tmp_path):
    (tmp_path / 'results.json').write_text('{')
    with pytest.raises(UserError, match='not valid JSON'):
        write_report(tmp_path)


def test_results_and_statistics_load_no_plotting():
    code = 'import sys, rethink_det.report.results; assert "matplotlib" not in sys.modules'
    subprocess.run([sys.executable, '-c', code], check=True)
