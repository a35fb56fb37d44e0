"""A classifier that was trained for a second, its config beside it, and pictures."""

import pytest

from rethink_det.datasets.pixels import write_picture
from rethink_det.training.launch import train
from tests.conftest import TinyImages


@pytest.fixture(scope='module')
def trained(tiny_config_in, tmp_path_factory):
    """The folder of ``run/``, a work dir, and of ``pictures/`` of both classes."""
    root = tmp_path_factory.mktemp('classifier')
    config = tiny_config_in(root)
    train(config)
    config.dump(root / 'run' / 'config.py')
    (root / 'pictures').mkdir()
    data = TinyImages(16, seed=1)
    for number in range(16):
        pixels = data[number]['inputs'].permute(1, 2, 0).numpy()
        write_picture(root / 'pictures' / f'{number:02}.png', pixels)
    return root
