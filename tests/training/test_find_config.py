"""A config by its name: found in the package, or refused with what was probably meant."""

from pathlib import Path

import pytest

from rethink_det import UserError
from rethink_det.training.config import find_config, shipped_configs

CONFIGS = shipped_configs()
STUDIES = CONFIGS / 'studies'


def told(name, folder=''):
    with pytest.raises(UserError, match='does not exist') as refused:
        find_config(name, folder)
    return str(refused.value)


@pytest.mark.parametrize('name', ['demo', 'paper/cifar10_resnet56', 'studies/demo.py'])
def test_shipped_study_is_found(name):
    assert Path(find_config(name, 'studies')).is_file()


def test_a_file_of_ones_own_goes_first(tmp_path, monkeypatch):
    (tmp_path / 'studies').mkdir()
    (tmp_path / 'studies' / 'demo.py').touch()
    monkeypatch.chdir(tmp_path)
    assert find_config('studies/demo.py', 'studies') == 'studies/demo.py'
    assert find_config('demo', 'studies') == str(STUDIES / 'demo.py')


def test_another_packages_config_is_left_to_it():
    assert find_config('mmdet::no/such.py') == 'mmdet::no/such.py'


@pytest.mark.parametrize(
    'name, folder, meant',
    [
        ('dmeo', 'studies', 'demo'),
        ('shapes.py', 'studies', 'shapes'),
        ('cifar10_resnet56-small-lr', 'studies', 'paper/cifar10_resnet56_small-lr'),
        ('papr/cifar10_resnet56_small-lr', 'studies', 'paper/cifar10_resnet56_small-lr'),
        ('resnet56_l1nrom_cifar10.py', '', 'classification/resnet56_l1norm_cifar10'),
        ('faster-rcnn_r50_fpn_1x_coco', '', 'detection/faster-rcnn_r50_fpn_1x_coco'),
    ],
)
def test_a_slip_is_answered_with_a_name_that_works(name, folder, meant):
    message = told(name, folder)
    assert f'Did you mean {meant}' in message
    assert Path(find_config(meant, folder)).is_file()
    assert len(message.split(' or ')) <= 4


@pytest.mark.parametrize('folder', ['', 'studies'])
def test_a_name_like_none_is_answered_with_a_short_list_and_the_way_to_the_long_one(folder):
    message = told('qqqqq', folder)
    assert str(CONFIGS / folder) in message
    assert f'{len(list((STUDIES / "paper").glob("*.py")))} in ' in message
    assert ('demo' in message) == (folder == 'studies')
    assert len(message) < 300 + len(str(CONFIGS))
    assert '_base_' not in message and '\n' not in message
