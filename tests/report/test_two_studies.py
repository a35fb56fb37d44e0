"""Two studies side by side: what both have, nothing that only one has, no claim beyond that."""

from dataclasses import replace

import pytest

from rethink_det.errors import UserError
from rethink_det.report.environment import Environment
from rethink_det.report.results import StudyResults
from rethink_det.report.run_result import RunResult
from rethink_det.report.two_studies import compare_studies
from tests.report.rows import classification
from tests.report.test_detector_report import table

FIRST = {'unpruned': [94.0], 'fine_tune': [93.0, 93.2], 'lottery': [92.0]}
SECOND = {'unpruned': [94.5], 'fine_tune': [93.5, 93.6, 93.7], 'scratch_b': [93.9]}


@pytest.fixture
def study(tmp_path):
    """Writes the results of a study; returns its folder."""

    def write(name, runs, title=''):
        StudyResults(name, list(runs), title).write(tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def two(study):
    return (
        study('one', classification(**FIRST), 'First <b>'),
        study('two', classification(**SECOND), 'Second'),
    )


def detectors(model='net', **metrics):
    names = {f'coco/bbox_{name}': value for name, value in metrics.items()}
    return [RunResult('detection', 'prune-c', 0, names, model)]


def test_what_both_have_is_compared_and_what_one_has_is_named(two):
    both = compare_studies(*two)
    assert table(both.markdown, 'Top-1, %')[2:] == [
        ['unpruned', '94.00 (n = 1)', '94.50 (n = 1)', '+0.50', '–', '–', '–'],
        [
            'fine-tune',
            '93.10 ± 0.14 (n = 2)',
            '93.60 ± 0.10 (n = 3)',
            '+0.45',
            '−0.19 to +1.09',
            'paired t',
            'method',
        ],
    ]
    assert 'left out of the difference: fine-tune 2.' in both.markdown
    assert 'Only A has lottery. Only B has scratch-b.' in both.markdown
    assert both.summary.startswith('A is one (one). B is two (two).')


def test_the_other_order_has_the_other_sign(two):
    (pair,) = compare_studies(*reversed(two)).pairs
    assert [row[3] for row in pair.tables[0].rows] == ['−0.50', '−0.45']


def test_two_studies_of_one_given_parent_each_say_nothing_of_the_method(study):
    sides = []
    for parent, scores in (('p', [93.0, 93.1, 93.2]), ('q', [95.0, 95.1, 95.2])):
        runs = classification(fine_tune=scores)
        sides.append(study(parent, [replace(run, parent_digest=parent) for run in runs]))
    (row,) = compare_studies(*sides).pairs[0].tables[0].rows
    assert row[3:] == ['+2.00', '–', '–', '–']


def test_where_they_were_made_otherwise_is_said(study):
    runs = classification(fine_tune=[93.0])
    here = Environment(python='3.11', versions={'torch': '2.9'})
    one = study('one', [replace(r, epochs=3, test_images=7, environment=here) for r in runs])
    two = study('two', [replace(r, epochs=4, test_images=7) for r in runs])
    made = {row[0]: row[1:] for row in compare_studies(one, two).pairs[0].tables[-1].rows}
    assert made['epochs'] == ['3', '4']
    assert made['torch'] == ['2.9', 'not recorded']
    assert not {'test images', 'pruner', 'started'} & made.keys()


def test_equal_studies_differ_in_nothing(study):
    runs = classification(fine_tune=[93.0])
    more = classification(fine_tune=[93.0], lottery=[92.0])
    both = compare_studies(study('one', more), study('two', runs))
    assert 'Nothing of what the runs keep of themselves differs.' in both.markdown


@pytest.mark.parametrize(
    'digests, said',
    [
        (('a', 'b'), 'tested on different images'),
        (('a', 'a'), ''),
        (('a', None), 'the same images is not recorded'),
    ],
)
def test_other_test_images_are_said(study, digests, said):
    runs = classification(fine_tune=[93.0])
    sides = [
        study(f's{i}', [replace(r, test_digest=d) for r in runs]) for i, d in enumerate(digests)
    ]
    note = compare_studies(*sides).pairs[0].note
    assert said in note and bool(said) == bool(note)


def test_a_model_of_another_name_is_compared_where_there_is_one(study):
    one = study('one', classification('resnet20', fine_tune=[91.0]))
    two = study('two', classification('resnet56', fine_tune=[93.0]))
    (pair,) = compare_studies(one, two).pairs
    assert pair.title == 'Classification · resnet20 against resnet56'


def test_models_that_only_one_has_are_left_out_and_named(study):
    both = [*classification('a', fine_tune=[91.0]), *classification('b', fine_tune=[92.0])]
    one, two = study('one', both), study('two', classification('a', fine_tune=[93.0]))
    told = compare_studies(one, two)
    assert [pair.title for pair in told.pairs] == ['Classification · a']
    assert 'Only A has classification b.' in told.summary


def test_objects_that_are_not_there_have_no_difference(study):
    one = study('one', detectors(mAP=0.4, mAP_l=-1.0))
    two = study('two', detectors(mAP=0.41, mAP_l=0.2))
    text = compare_studies(one, two).markdown
    assert '+1.0' in text and 'mAP_l' not in text


def test_the_command_shows_it_and_writes_it_where_it_is_told(two, tmp_path, command):
    done = command('report', *two, '--out', tmp_path / 'out')
    assert done.status == 0 and '# First &lt;b> and Second' in done.out
    page = (tmp_path / 'out' / 'comparison.html').read_text(encoding='utf-8')
    assert '<b>' not in page and '93.60' in page and str(tmp_path) not in page
    assert (tmp_path / 'out' / 'comparison.md').read_text(encoding='utf-8') in done.out
    assert sorted(path.name for path in two[0].iterdir()) == ['results.json']


@pytest.mark.parametrize(
    'runs, message',
    [
        ([], 'no run of this study is completed'),
        ([RunResult('classification', 'fine-tune', 0, status='failed')], 'no run of this study'),
        (detectors(mAP=0.4), 'no stage and arm in common: one has classification net: '),
    ],
)
def test_studies_without_anything_in_common_are_refused(two, study, runs, message):
    with pytest.raises(UserError, match=message):
        compare_studies(two[0], study('other', runs))


def test_a_folder_that_is_no_study_is_refused(two, tmp_path):
    with pytest.raises(UserError, match='run the study first'):
        compare_studies(two[0], tmp_path / 'nowhere')


def test_a_study_is_not_compared_with_itself(two):
    with pytest.raises(UserError, match='the same study'):
        compare_studies(two[0], two[0] / '..' / 'one')


def test_a_file_is_no_folder_for_pages(two):
    with pytest.raises(UserError, match='is a file; name a folder'):
        compare_studies(*two).write(two[0] / 'results.json')


@pytest.mark.parametrize(
    'arguments, message',
    [(['a', 'b', 'c'], 'got 3 folders'), (['a', '--out', 'b'], '--out is for two')],
)
def test_other_numbers_of_studies_are_refused(arguments, message, command):
    done = command('report', *arguments)
    assert done.status == 2 and message in done.err
