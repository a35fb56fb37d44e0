"""What ``rethink-det predict`` may be told."""


def test_several_pictures_and_another_network(read):
    options = read('predict a.pth one.jpg two.jpg --out found --side-by-side b.pth --json')
    assert (options.network, options.images) == ('a.pth', ['one.jpg', 'two.jpg'])
    assert options.side_by_side == 'b.pth' and options.json


def test_pictures_and_a_folder_are_needed(misread):
    assert 'images' in misread('predict a.pth --out found')
    assert '--out' in misread('predict a.pth one.jpg')
