"""A classifier's splits and head have the same classes, or are refused by name."""

import shutil

import pytest
from mmengine.config import Config

from rethink_det.classification.check_images import check_images
from rethink_det.errors import UserError
from tests.tiny_data import picture

NAMES = ('cat', 'dog', 'emu')


@pytest.fixture
def pets(tmp_path):
    """``{train,test}/<class>/<n>.png``, all pictures different."""
    for place, split in enumerate(('train', 'test')):
        for label, name in enumerate(NAMES):
            folder = tmp_path / 'pets' / split / name
            folder.mkdir(parents=True)
            for n in range(2):
                picture(100 * place + 10 * label + n, 8, 8).save(folder / f'{n}.png')
    return tmp_path / 'pets'


def config(train, test=None, classes=3, kind='ImageFolder', second='test', **settings):
    common = dict(type=f'rethink_det.{kind}', **settings)
    return Config(
        dict(
            model=dict(
                type='rethink_det.Classifier',
                backbone=dict(type='mmdet.ResNet', depth=18),
                head=dict(type='rethink_det.LinearHead', num_classes=classes),
            ),
            train_dataloader=dict(dataset=dict(data_root=str(train), split='train', **common)),
            val_dataloader=dict(dataset=dict(data_root=str(test or train), split=second, **common)),
        )
    )


def test_what_agrees_passes(pets):
    assert check_images(config(pets)) == ()
    assert check_images(Config({})) == ()


@pytest.mark.parametrize('count', [2, 4])
def test_a_head_of_another_number_is_refused(pets, count):
    text = f'model.head.num_classes is {count}, but train_dataloader.dataset has 3 classes'
    with pytest.raises(UserError, match=text):
        check_images(config(pets, classes=count))


@pytest.mark.parametrize('kind, count', [('CIFAR10', 10), ('CIFAR100', 100), ('ShapesCrops', 8)])
def test_known_data_sets_have_a_known_number(kind, count):
    assert check_images(config('none', kind=kind, classes=count)) == ()
    with pytest.raises(UserError, match=f'num_classes is 3, but .* has {count} classes'):
        check_images(config('none', kind=kind))


@pytest.mark.parametrize('lacking, having', [('train', 'test'), ('test', 'train')])
def test_a_class_that_a_split_lacks_is_named(pets, lacking, having):
    shutil.rmtree(pets / lacking / 'dog')
    with pytest.raises(UserError, match=f'{lacking}: no class folder dog, which .*{having} has'):
        check_images(config(pets))


def test_splits_of_two_folders_are_compared(pets):
    other = pets.parent / 'others'
    shutil.copytree(pets, other)
    for split in ('train', 'test'):
        (other / split / 'emu').rename(other / split / 'fox')
    with pytest.raises(UserError, match='no class folder fox, which .*others/test has'):
        check_images(config(pets, other))


def test_classes_named_in_two_orders_are_refused(pets):
    both = config(pets, classes=2)
    both.train_dataloader.dataset.classes = ['cat', 'dog']
    both.val_dataloader.dataset.classes = ['dog', 'cat']
    with pytest.raises(UserError, match='the same classes in another order'):
        check_images(both)


def test_folders_of_imagenet_are_compared(pets):
    (pets / 'test').rename(pets / 'val')
    imagenet = config(pets, kind='ImageNet', second='val', num_classes=3)
    assert check_images(imagenet) == ()
    (pets / 'val/dog').rename(pets / 'val/gnu')
    with pytest.raises(UserError, match='train: no class folder gnu, which .*val has'):
        check_images(imagenet)


def test_pictures_that_are_trained_and_tested_on_are_said(pets):
    shutil.copy(pets / 'train/cat/0.png', pets / 'test/dog/7.png')
    (note,) = check_images(config(pets))
    assert note.startswith(f'WARNING: 1 of 7 pictures of {pets / "test"} are trained on, too')


def test_what_is_held_out_of_the_training_images_is_no_leak(pets):
    held = config(pets, second='val', val=3)
    assert check_images(held) == ()
