"""What ``rethink-det test`` may be told."""


def test_it_takes_the_data_and_the_keys_that_train_takes(read):
    told = '--data-root data --cfg-options a.b=1 --launcher pytorch --local-rank 1'
    options, train = read(f'test net.py a.pth {told}'), read(f'train net.py {told}')
    for name in ('config', 'data_root', 'cfg_options', 'launcher', 'local_rank'):
        assert getattr(options, name) == getattr(train, name)


def test_it_resumes_nothing(misread):
    assert 'unrecognized arguments: --resume' in misread('test net.py a.pth --resume')
