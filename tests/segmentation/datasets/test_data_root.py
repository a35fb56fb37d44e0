"""A segmenter on any folder of pictures and maps: what must agree is compared."""

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from rethink_det.errors import UserError
from rethink_det.segmentation.datasets.data_root import with_map_root
from rethink_det.segmentation.datasets.map_folder import LAYOUTS, NAMES, MapFolder


def write(root, layout=0, names=('train', 'val'), count=3, classes=3, suffix='.jpg'):
    """Pictures of 24 x 16 with maps of all classes, some pixels ignored."""
    draw = np.random.default_rng(0)
    for name in names:
        pictures, maps = (root / place.format(name) for place in LAYOUTS[layout])
        pictures.mkdir(parents=True)
        maps.mkdir(parents=True)
        for i in range(count):
            pixels = draw.integers(0, 256, (16, 24, 3), dtype=np.uint8)
            values = (np.arange(16 * 24).reshape(16, 24) % classes).astype(np.uint8)
            values[0, :5] = 255
            cv2.imwrite(str(pictures / f'{i}{suffix}'), pixels)
            cv2.imwrite(str(maps / f'{i}.png'), values)
    return root


def config(**head):
    load = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations', reduce_zero_label=True)]
    data = dict(dataset=dict(type='ADE20KDataset', data_root='a', pipeline=load))
    heads = dict(num_classes=150, loss_decode=dict(type='CrossEntropyLoss'), **head)
    model = dict(decode_head=heads, auxiliary_head=[dict(num_classes=150)])
    return Config(dict(
        model=model, train_dataloader=data, val_dataloader=data, test_dataloader=data,
    ))  # fmt: skip


@pytest.mark.parametrize('layout', range(len(LAYOUTS)))
@pytest.mark.parametrize('train, val', [('train', 'val'), ('training', 'validation')])
def test_usual_layouts_are_found(tmp_path, layout, train, val):
    folder = MapFolder.find(write(tmp_path, layout, (train, val)))
    assert folder.train.names == folder.val.names == ('0', '1', '2')
    assert (folder.train.picture_suffix, folder.train.map_suffix) == ('.jpg', '.png')
    assert train in str(folder.train.maps) and val in str(folder.val.pictures)


def test_classes_are_named_by_a_file_or_counted(tmp_path):
    assert MapFolder.find(write(tmp_path)).classes == ('class 0', 'class 1', 'class 2')
    (tmp_path / 'classes.txt').write_text('road\ncar\nsky\ntree\n')
    assert MapFolder.find(tmp_path).classes == ('road', 'car', 'sky', 'tree')


def test_a_config_is_told_folders_and_classes(tmp_path):
    old = config()
    found = with_map_root(old, write(tmp_path))
    new = found.config
    assert new.model.decode_head.num_classes == new.model.auxiliary_head[0].num_classes == 3
    for split in ('train', 'val', 'test'):
        data = new[f'{split}_dataloader'].dataset
        assert data.type == 'mmseg.BaseSegDataset'
        folder = 'train' if split == 'train' else 'val'
        places = dict(img_path=f'img_dir/{folder}', seg_map_path=f'ann_dir/{folder}')
        assert data.data_prefix == places
        assert data.pipeline[1].reduce_zero_label is False
    said = '\n'.join(map(str, found.changes))
    assert 'model.auxiliary_head.0.num_classes: 150 -> 3' in said
    assert 'reduce_zero_label: True -> False, 0 is a class like any other' in said
    assert 'counted, as there is no classes.txt' in said
    assert old.model.decode_head.num_classes == 150
    assert old.train_dataloader.dataset.pipeline[1].reduce_zero_label is True


def test_weights_of_other_classes_are_left_out(tmp_path):
    old = config()
    old.model.decode_head.loss_decode.class_weight = [1.0] * 150
    found = with_map_root(old, write(tmp_path))
    assert 'class_weight' not in found.config.model.decode_head.loss_decode
    assert any('class_weight' in str(change) for change in found.changes)


def test_maps_without_pictures_are_counted(tmp_path):
    write(tmp_path)
    (tmp_path / 'img_dir/train/1.jpg').unlink()
    said = '\n'.join(map(str, with_map_root(config(), tmp_path).changes))
    assert 'train, 2 pictures; 1 maps have no picture and are left out' in said.replace(
        str(tmp_path), 'train'
    )


def no_map(root):
    (root / 'ann_dir/val/2.png').unlink()


def another_size(root):
    cv2.imwrite(str(root / 'ann_dir/val/1.png'), np.zeros((24, 16), np.uint8))


def colours(root):
    cv2.imwrite(str(root / 'ann_dir/train/0.png'), np.zeros((16, 24, 3), np.uint8))


def too_few_names(root):
    (root / 'classes.txt').write_text('road\ncar\n')


def twice(root):
    (root / 'classes.txt').write_text('road\ncar\nroad\n')


def two_kinds(root):
    cv2.imwrite(str(root / 'img_dir/train/9.png'), np.zeros((16, 24, 3), np.uint8))


def damaged(root):
    (root / 'ann_dir/train/1.png').write_bytes(b'no picture')


def no_folder(root):
    (root / 'img_dir/val').rename(root / 'img_dir/other')


@pytest.mark.parametrize(
    'spoil, words',
    [
        (no_map, r'1 of 3 pictures have no map, the first is 2.jpg; it would be .*val/2.png'),
        (another_size, r'1.png is 16 x 24 pixels, its picture .*1.jpg 24 x 16'),
        (colours, '0.png has 3 channels'),
        (too_few_names, r'has pixels of the class 2, and .*classes.txt names the classes 0 to 1'),
        (twice, "classes.txt: 'road' stands there twice"),
        (two_kinds, r'of several kinds, .jpg, .png: one is needed'),
        (damaged, '1.png cannot be read'),
        (no_folder, 'no pictures with maps for val; looked for img_dir/val with ann_dir/val'),
    ],
)
def test_what_does_not_go_together_is_refused_in_a_line(tmp_path, spoil, words):
    write(tmp_path)
    spoil(tmp_path)
    with pytest.raises(UserError, match=words) as refused:
        with_map_root(config(), tmp_path)
    assert '\n' not in str(refused.value)


def test_a_model_that_counts_no_classes_is_refused(tmp_path):
    bare = Config(dict(model=dict(decode_head=dict(type='X')), train_dataloader=None))
    with pytest.raises(UserError, match='no segmenter with num_classes'):
        with_map_root(bare, write(tmp_path))
    with pytest.raises(UserError, match='out_channels is 1, for 150 classes'):
        with_map_root(config(out_channels=1), tmp_path)
    assert set(NAMES) == {'train', 'val'}


def test_heads_and_data_are_compared(tmp_path):
    pytest.importorskip('mmseg', reason='needs onedl-mmsegmentation, the extra mmseg')
    from rethink_det.segmentation.datasets.check_maps import check_maps

    found = with_map_root(config(), write(tmp_path)).config
    check_maps(found)
    found.model.auxiliary_head[0].num_classes = 4
    with pytest.raises(UserError, match='auxiliary_head.0.num_classes is 4, but train_.* has 3'):
        check_maps(found)
    check_maps(Config(dict(model=dict(backbone={}))))
