"""What the arms took is one table; what is in none of its numbers is named under it."""

from dataclasses import replace

from rethink_det.report.cost_tables import hours, spent_table
from rethink_det.report.run_result import RunResult
from rethink_det.report.spent import CPU, GPU, Spent
from rethink_det.report.training_facts import TrainingFacts


def run(arm='fine-tune', seed=0, **fields):
    spent = Spent(2e9, 0, 3e6, {GPU: 1800.0})
    whole = Spent(8e9, 5e8, 4e6, {GPU: 7200.0})
    told = dict(spent=spent, total_spent=whole, train_macs=2e9, total_train_macs=8e9) | fields
    return RunResult('classification', arm, seed, {'accuracy/top1': 90.0}, **told)


def test_multiply_adds_of_another_precision_are_named():
    facts = TrainingFacts('D', 'd', 5, 'a', 2, 8, 0.1, 'constant', 'SGD', 1, precision='bfloat16')
    plain = replace(facts, precision='float32')
    table = spent_table([run(training=facts), run('scratch-e', training=plain), run('lottery')])
    assert 'MACs of training are in bfloat16: fine-tune.' in table.note
    assert 'MACs of training' not in spent_table([run(training=plain), run(seed=1)]).note


def test_hours_of_a_group_are_said_to_be_shares():
    facts = TrainingFacts('D', 'd', 5, 'a', 2, 8, 0.1, 'constant', 'SGD', 1, computed='together')
    alone = replace(facts, computed='alone')
    table = spent_table([run(training=facts), run('scratch-e', training=alone), run('lottery')])
    assert 'hours are a share of those of the group: fine-tune.' in table.note
    assert 'group' not in spent_table([run(training=alone)]).note


def test_each_part_has_its_column():
    table = spent_table([run(), run(seed=1)])
    (row,) = table.rows
    cells = dict(zip(table.columns, row, strict=True))
    assert cells == {
        'arm': 'fine-tune',
        'training, MACs': '2.00 G',
        'evaluation, MACs': '3.00 M',
        'training with parents, MACs': '8.00 G',
        'pruning with parents, MACs': '500 M',
        'evaluation with parents, MACs': '4.00 M',
        'in all, MACs': '8.50 G',
        'hours': '0.5 GPU',
        'hours with parents': '2 GPU',
        'hours of all seeds': '1 GPU',
    }
    assert 'Not counted' not in table.note


def test_what_is_unknown_is_a_dash_and_named():
    lost = Spent(None, 5e8, 4e6, None, ('the training of the parent',))
    table = spent_table([run(total_spent=lost), run('scratch-e')])
    cells = dict(zip(table.columns, table.rows[0], strict=True))
    unknown = ('training with parents, MACs', 'in all, MACs', 'hours with parents')
    assert {cells[name] for name in unknown} == {'–'}
    assert cells['pruning with parents, MACs'] == '500 M'
    assert table.note.endswith('Not counted: the training of the parent (fine-tune).')


def test_runs_of_before_are_told_apart():
    older = run('scratch-e', spent=None, total_spent=None)
    assert spent_table([older]) is None
    table = spent_table([run(), older])
    assert table.rows[1][1:] == ['–'] * 9
    assert 'of runs of an older release (scratch-e)' in table.note


def test_hours_are_of_one_kind_of_device_at_a_time():
    one, other = Spent(device_s={GPU: 3600.0}), Spent(device_s={CPU: 7200.0, GPU: 3600.0})
    assert hours([one, other], sum) == '2 GPU + 2 CPU core'
    assert hours([one, replace(other, device_s=None)], sum) == '–'
    assert hours([], sum) == '–'
