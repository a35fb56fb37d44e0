"""ImageNet's folders: labels, decoding, and an augmentation that repeats."""

import io
import tarfile

import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import transforms

from rethink_det import UserError
from rethink_det.datasets import Draw, EpochSampler, ImageNet
from tests.tiny_data import picture, write_imagenet

WNIDS = ('n01', 'n02', 'n10')
SMALL = dict(num_classes=3, size=16, resize=20)


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """Three classes of four images, the same in both splits."""
    root = tmp_path_factory.mktemp('imagenet')
    write_imagenet(root, WNIDS, images=4)
    return root


def pillow(path, transform):
    with Image.open(path) as image:
        return transforms.Compose([*transform, transforms.PILToTensor()])(image.convert('RGB'))


def difference(one, other):
    return (one.int() - other.int()).abs().max().item()


def test_labels_are_the_sorted_folders(root):
    data = ImageNet(root, 'val', **SMALL)
    assert data.metainfo == dict(classes=WNIDS)
    assert data.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert [data.path(index).name for index in (0, 5, 11)] == [
        'n01_0.JPEG',
        'n02_1.JPEG',
        'n10_3.JPEG',
    ]
    item = data[5]
    assert item['inputs'].shape == (3, 16, 16) and item['inputs'].dtype == torch.uint8
    assert item['gt_label'].shape == () and item['gt_label'] == 1


def test_validation_is_pillows_resize_and_centre_crop_but_for_rounding(root):
    data = ImageNet(root, 'val', **SMALL)
    steps = [transforms.Resize(20), transforms.CenterCrop(16)]
    assert max(difference(data[i]['inputs'], pillow(data.path(i), steps)) for i in range(12)) <= 1


def test_training_is_the_recipes_crop_and_flip_but_for_rounding(root):
    data = ImageNet(root, **SMALL)
    steps = [transforms.RandomResizedCrop(16), transforms.RandomHorizontalFlip()]
    for index in range(12):
        torch.manual_seed(index)
        ours = data[index]['inputs']
        torch.manual_seed(index)
        assert difference(ours, pillow(data.path(index), steps)) <= 1


def test_limit_takes_the_first_of_each_class(root):
    data = ImageNet(root, limit=6, **SMALL)
    names = ['n01_0', 'n01_1', 'n02_0', 'n02_1', 'n10_0', 'n10_1']
    assert [data.path(index).stem for index in range(len(data))] == names
    with pytest.raises(UserError, match='limit=15'):
        ImageNet(root, limit=15, **SMALL)


@pytest.mark.parametrize(
    'mode, kind', [('RGB', 'PNG'), ('L', 'JPEG'), ('CMYK', 'JPEG'), ('RGBA', 'PNG'), ('P', 'PNG')]
)
def test_a_file_is_read_by_its_content(tmp_path, mode, kind):
    for wnid in WNIDS:
        (tmp_path / 'val' / wnid).mkdir(parents=True)
        picture(1).convert(mode).save(tmp_path / 'val' / wnid / 'a.JPEG', kind)
    data = ImageNet(tmp_path, 'val', num_classes=3, size=40, resize=40)
    with Image.open(data.path(0)) as image:
        assert image.mode == mode
    expected = pillow(data.path(0), [transforms.CenterCrop(40)])
    assert difference(data[0]['inputs'], expected) <= 2


# Repeating the augmentation


def loader(root, workers=0, seed=3, shuffle=True):
    config = dict(
        batch_size=4,
        num_workers=workers,
        persistent_workers=workers > 0,
        sampler=dict(type='rethink_det.EpochSampler', shuffle=shuffle),
        collate_fn=dict(type='rethink_det.batch_collate'),
        dataset=dict(type='rethink_det.ImageNet', data_root=str(root), **SMALL),
    )
    return Runner.build_dataloader(config, seed=seed)


def epoch(loader, number):
    loader.sampler.set_epoch(number)
    batches = list(loader)
    return torch.cat([b['inputs'] for b in batches]), torch.cat([b['gt_label'] for b in batches])


def test_seed_and_epoch_alone_decide_whatever_the_workers_did_before(root):
    whole = loader(root)
    unbroken = [epoch(whole, number) for number in range(3)]
    torch.manual_seed(99)
    several = loader(root, workers=2)  # persistent: their own random state goes on
    for number in (2, 0, 1, 2):
        images, labels = epoch(several, number)
        assert torch.equal(images, unbroken[number][0])
        assert torch.equal(labels, unbroken[number][1])
    assert not torch.equal(epoch(loader(root, seed=4), 0)[0], unbroken[0][0])


def test_each_epoch_crops_an_image_anew(root):
    data = loader(root, shuffle=False)
    first, second = (epoch(data, number)[0] for number in range(2))
    assert all(not torch.equal(one, other) for one, other in zip(first, second, strict=True))


def test_a_draw_leaves_the_global_generator_alone(root):
    data = ImageNet(root, **SMALL)
    state = torch.get_rng_state()
    one, other = data[Draw(5, 0, 0)], data[Draw(5, 0, 0)]
    assert torch.equal(one['inputs'], other['inputs'])
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(0)
    one, other = data[5], data[5]  # without a draw: the generator's
    assert not torch.equal(one['inputs'], other['inputs'])


def test_draws_have_seeds_of_their_own():
    draws = {Draw(i, e, s).random_seed() for i in range(20) for e in range(20) for s in range(20)}
    assert len(draws) == 8000 and all(0 <= seed < 2**63 for seed in draws)


def test_the_sampler_visits_what_mmengines_does(root):
    data = ImageNet(root, **SMALL)
    sampler = EpochSampler(data, seed=7)
    sampler.set_epoch(2)
    draws = list(sampler)
    assert sorted(draw.image for draw in draws) == list(range(12))
    assert {(draw.epoch, draw.seed) for draw in draws} == {(2, 7)}


# What is wrong with the folders


def test_missing_folders_are_named(root, tmp_path):
    with pytest.raises(UserError, match="split='test'"):
        ImageNet(root, 'test')
    with pytest.raises(UserError, match='train: no such folder; expected <data_root>'):
        ImageNet(tmp_path)
    (tmp_path / 'val').mkdir()
    (tmp_path / 'val' / 'ILSVRC2012_val_00000001.JPEG').touch()
    with pytest.raises(UserError, match='0 class folders.*sorted into a folder for each class'):
        ImageNet(tmp_path, 'val')


@pytest.mark.parametrize('count', [2, 1000])
def test_another_number_of_classes_is_refused(root, count):
    with pytest.raises(UserError, match=f'3 class folders, expected num_classes={count}'):
        ImageNet(root, num_classes=count)


def test_an_empty_class_is_named(root, tmp_path):
    for wnid in WNIDS:
        (tmp_path / 'train' / wnid).mkdir(parents=True)
        (tmp_path / 'train' / wnid / 'a.txt').touch()
    with pytest.raises(UserError, match='n01: no images'):
        ImageNet(tmp_path, num_classes=3)


@pytest.mark.parametrize('workers', [0, 1])
def test_an_unreadable_image_is_named_by_workers_too(root, tmp_path, workers):
    content = io.BytesIO()
    picture(0).save(content, 'JPEG')
    wrong = (content.getvalue()[:300], b'', b'<html>not found</html>')
    for wnid, bytes_ in zip(WNIDS, wrong, strict=True):
        (tmp_path / 'train' / wnid).mkdir(parents=True)
        (tmp_path / 'train' / wnid / 'broken.JPEG').write_bytes(bytes_)
    data = ImageNet(tmp_path, **SMALL)
    for index, wnid in enumerate(WNIDS):
        with pytest.raises(UserError, match=f'{wnid}/broken.JPEG: not readable as an image'):
            data[index]
    loader = DataLoader(data, batch_size=3, num_workers=workers)
    with pytest.raises(UserError, match='broken.JPEG: not readable as an image'):
        list(loader)


def test_the_real_sample_has_a_thousand_classes(shared, tmp_path):
    with tarfile.open(shared / 'data' / 'imagenet_sample.tar') as tar:
        tar.extractall(tmp_path, filter='data')
    data = ImageNet(tmp_path / 'imagenet_sample', 'val')
    assert len(data) == 1000 and data.labels.tolist() == list(range(1000))
    assert data.metainfo['classes'][0] == 'n01440764'  # tench, class 0 of the usual labels
    steps = [transforms.Resize(256), transforms.CenterCrop(224)]
    for index in range(0, 1000, 40):
        image = data[index]['inputs']
        assert image.shape == (3, 224, 224)
        assert difference(image, pillow(data.path(index), steps)) <= 1


@pytest.mark.parametrize('size', [0, -16, '16', 16.0])
def test_a_crop_that_is_no_count_is_refused(root, size):
    with pytest.raises(UserError, match='size must be a whole number of at least 1, got'):
        ImageNet(root, num_classes=3, size=size)


def test_a_crop_larger_than_what_it_is_cut_from_is_refused(root):
    with pytest.raises(UserError, match='resize must be a whole number of at least 30, got 20'):
        ImageNet(root, 'val', num_classes=3, size=30, resize=20)


def test_a_sampler_of_no_images_is_refused():
    with pytest.raises(UserError, match='EpochSampler: the list has no images'):
        EpochSampler([])


def test_splits_of_other_classes_are_refused(tmp_path):
    write_imagenet(tmp_path, WNIDS)
    (tmp_path / 'val' / 'n10').rename(tmp_path / 'val' / 'n11')
    for split in ('train', 'val'):
        with pytest.raises(UserError, match='no class folder n1[01], which'):
            ImageNet(tmp_path, split, **SMALL)


def test_16_bits_keep_their_upper_8(tmp_path):
    write_imagenet(tmp_path, WNIDS)
    file = tmp_path / 'val' / 'n01' / 'n01_0.JPEG'
    file.unlink()
    Image.fromarray(np.full((40, 40), 200 * 257, np.uint16)).save(file.with_suffix('.png'))
    item = ImageNet(tmp_path, 'val', **SMALL)[0]['inputs']
    assert item.dtype == torch.uint8 and item.unique().tolist() == [200]
