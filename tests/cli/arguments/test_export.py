"""What ``rethink-det export`` may be told."""

import pytest


def test_the_config_comes_first_if_there_is_one(read):
    one, two = read('export a.pth --onnx'), read('export net.py a.pth --onnx')
    assert (one.config, one.checkpoint) == (None, 'a.pth')
    assert (two.config, two.checkpoint) == ('net.py', 'a.pth')


@pytest.mark.parametrize(
    'words, told',
    [
        ('', 'is required'),
        ('--onnx --torch', 'not allowed with'),
        ('--onnx --heads --backbone', 'not allowed with'),
    ],
)
def test_one_format_and_one_part(misread, words, told):
    assert told in misread(f'export a.pth {words}')
