"""What ``rethink-det analyze`` may be told."""


def test_an_input_has_three_sizes(read, misread):
    assert read('analyze cost resnet34-a --input-shape 3 64 32').input_shape == [3, 64, 32]
    assert 'expected 3 arguments' in misread('analyze cost resnet34-a --input-shape 64 64')


def test_what_is_no_question_is_refused(misread):
    assert 'invalid choice' in misread('analyze costs resnet34-a')
