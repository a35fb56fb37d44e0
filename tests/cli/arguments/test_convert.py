"""What ``rethink-det convert`` may be told."""

from rethink_det.defaults import ZEROS


def test_masks_may_be_asked_for_without_a_share(read):
    assert read('convert a.pth -o b.pth').masks is None
    assert read('convert a.pth -o b.pth --masks').masks == ZEROS
    assert read('convert a.pth -o b.pth --masks 0.2').masks == 0.2


def test_a_share_that_is_no_number_and_no_output_are_refused(misread):
    assert 'invalid float' in misread('convert a.pth -o b.pth --masks half')
    assert '-o' in misread('convert a.pth')
