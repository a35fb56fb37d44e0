"""Whatever stands in an architecture file: it is read, or refused in a line."""

import pytest

from rethink_det.architecture import Cut, PrunedArchitecture
from rethink_det.errors import UserError
from tests.fuzz.generators import file_contents

WHOLE, SAMPLE = 600, 40
PUBLISHED = ('resnet34-a', 'vgg16-a', 'resnet56-b', 'resnet26-sss')


@pytest.fixture
def right(cifar):
    """Descriptions of networks that are cut in all ways."""
    cuts = Cut(channels={'layer1.0.conv1': (0, 2)}), Cut(blocks=('layer2.0',))
    own = [cifar(depth=14).after(cut).to_dict() for cut in cuts]
    return own + [PrunedArchitecture.load(name).to_dict() for name in PUBLISHED]


@pytest.mark.parametrize('count', [SAMPLE, pytest.param(WHOLE, marks=pytest.mark.slow)])
def test_an_architecture_file_is_read_or_refused_in_a_line(count, right, tmp_path):
    path, refused = tmp_path / 'wrong.json', 0
    for content in file_contents(count, count, right):
        path.write_bytes(content)
        try:
            PrunedArchitecture.load(path).cost()
        except UserError as error:
            refused += 1
            message = str(error)
            assert 'wrong.json' in message and '\n' not in message and len(message) < 900, content
    assert refused > count / 2
