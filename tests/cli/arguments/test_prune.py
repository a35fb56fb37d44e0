"""What ``rethink-det prune`` may be told."""


def test_the_options_of_a_method_are_values(read):
    line = 'prune net.py a.pth --pruner L1NormPruner -o b.pth --pruner-options'
    assert read(f"{line} ratios={{'layer1.*':0.3}} round_to=8").pruner_options == {
        'ratios': {'layer1.*': 0.3}, 'round_to': 8,
    }  # fmt: skip


def test_what_is_no_key_and_no_method_are_refused(misread):
    line = 'prune net.py a.pth -o b.pth'
    assert 'is not KEY=VALUE' in misread(f'{line} --pruner L1NormPruner --pruner-options half')
    assert '--pruner' in misread(line)
