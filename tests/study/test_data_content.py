"""The same path with other data is another run, and the reason says so."""

import json
import shutil

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from rethink_det.errors import UserError
from rethink_det.study.config import Study
from rethink_det.study.data_content import READ, data_content, of_pictures
from rethink_det.study.execute import execute_study
from rethink_det.study.recipe import Recipe

BOX = {'id': 1, 'image_id': 0, 'category_id': 1, 'bbox': [1, 1, 4, 4], 'area': 16, 'iscrowd': 0}


def picture(path, seed, size=8):
    """A picture whose file has the same size whatever is on it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)
    Image.fromarray(pixels).save(path, compress_level=0)


@pytest.fixture
def folders(tmp_path):
    """Two classes of 8 pictures for training and test."""
    root = tmp_path / 'pictures'
    for seed in range(32):
        split, name, number = ('train', 'test')[seed % 2], 'ab'[seed // 2 % 2], seed // 4
        picture(root / split / name / f'{number}.png', seed)
    return root


@pytest.fixture
def coco(tmp_path):
    """A COCO folder of three pictures, of which two are annotated."""
    root = tmp_path / 'coco'
    for number in range(3):
        picture(root / 'images' / f'{number}.png', number)
    images = [{'id': n, 'file_name': f'{n}.png', 'width': 8, 'height': 8} for n in range(2)]
    content = {'images': images, 'annotations': [BOX], 'categories': [{'id': 1, 'name': 'cat'}]}
    (root / 'train.json').write_text(json.dumps(content))
    return root


def of_coco(root, **more):
    data = dict(ann_file='train.json', data_prefix=dict(img='images/'), data_root=str(root))
    data = dict(type='mmdet.CocoDataset', **data) | more
    return Config({'train_dataloader': {'dataset': dict(type='RepeatDataset', dataset=data)}})


def of_folder(root, **more):
    data = dict(type='rethink_det.ImageFolder', data_root=str(root)) | more
    return Config({'train_dataloader': {'dataset': data}})


def test_coco_is_its_annotations_and_the_pictures_that_they_list(coco):
    config = of_coco(coco)
    before = data_content(config)
    assert list(before) == ['train_dataloader.dataset.dataset']
    assert list(before['train_dataloader.dataset.dataset']) == ['annotations', 'pictures']
    picture(coco / 'images' / '2.png', 9)  # listed by nobody
    (coco / 'notes.txt').touch()
    assert data_content(config) == before


@pytest.mark.parametrize('what', ['another picture', 'a larger one', 'gone', 'a box'])
def test_other_coco_data_is_other_content(coco, what):
    config, file = of_coco(coco), coco / 'train.json'
    before = data_content(config)['train_dataloader.dataset.dataset']
    if what == 'a box':
        file.write_text(file.read_text().replace('[1, 1, 4, 4]', '[1, 2, 4, 4]'))
    elif what == 'gone':
        (coco / 'images' / '1.png').unlink()
    else:
        picture(coco / 'images' / '1.png', 7, size=8 if what == 'another picture' else 9)
    now = data_content(config)['train_dataloader.dataset.dataset']
    changed = 'annotations' if what == 'a box' else 'pictures'
    assert [key for key in now if now[key] != before[key]] == [changed]


@pytest.mark.parametrize('kind', ['coco', 'folder'])
def test_a_copy_elsewhere_is_the_same(coco, folders, tmp_path, kind):
    make, root = (of_coco, coco) if kind == 'coco' else (of_folder, folders)
    shutil.copytree(root, tmp_path / 'copy')
    assert data_content(make(tmp_path / 'copy')) == data_content(make(root)) != {}


def test_only_the_split_that_is_read_counts(folders):
    train, test = of_folder(folders), of_folder(folders, split='test')
    before = data_content(train), data_content(test)
    picture(folders / 'train' / 'a' / 'new.png', 99)
    assert data_content(train) != before[0]
    assert data_content(test) == before[1]


def test_data_sets_of_any_kind_are_known_by_the_files_that_they_name(folders, tmp_path):
    (tmp_path / 'weights.pth').write_bytes(b'1')
    data = dict(type='mmdet.LVISV1Dataset', ann_file='lvis.json', data_root=str(tmp_path))
    data['data_prefix'] = dict(img='pictures/')
    init = dict(type='Pretrained', checkpoint=str(tmp_path / 'weights.pth'))
    config = Config({'test_dataloader': {'dataset': data}, 'model': {'init_cfg': init}})
    (tmp_path / 'lvis.json').write_text('{}')
    before = data_content(config)
    assert set(before['test_dataloader.dataset']) == {'ann_file', 'pictures'}
    assert '32 files' in before['test_dataloader.dataset']['pictures']
    (tmp_path / 'weights.pth').write_bytes(b'2')
    (tmp_path / 'lvis.json').write_text('[]')
    now, data = data_content(config), 'test_dataloader.dataset'
    assert now['model'] != before['model']
    assert now[data]['ann_file'] != before[data]['ann_file']
    assert now[data]['pictures'] == before[data]['pictures']
    assert data_content(config, {str(tmp_path / 'weights.pth')}).get('model') is None


@pytest.mark.parametrize(
    'data',
    [
        dict(type='rethink_det.ShapesCrops', data_root='data/shapes'),
        dict(type='rethink_det.ImageFolder', data_root='nowhere'),
        dict(type='rethink_det.CIFAR10', data_root='nowhere'),
        dict(type='mmdet.CocoDataset', ann_file='nowhere.json'),
        dict(type='no.such.Dataset'),
        dict(),
    ],
)
def test_what_is_not_there_or_follows_from_the_config_has_no_content(data):
    assert data_content(Config({'train_dataloader': {'dataset': data}})) == {}


def test_of_many_pictures_all_sizes_count_and_some_bytes(tmp_path):
    paths = [tmp_path / f'{number}.png' for number in range(2 * READ)]
    for path in paths:
        path.write_bytes(b'same')
    before = of_pictures(paths, tmp_path)
    assert before.startswith(f'{2 * READ} files, {8 * READ} bytes, ')
    paths[1].write_bytes(b'longer')
    larger = of_pictures(paths, tmp_path)
    assert larger[-16:] != before[-16:]
    for path in paths:
        path.write_bytes(b'diff')
    assert of_pictures(paths, tmp_path) != before


def test_data_counts_where_both_know_it():
    one = {'train_dataloader.dataset': {'pictures': '2 files'}}
    other = {'train_dataloader.dataset': {'pictures': '3 files'}}
    mine = Recipe({}, data=one)
    assert mine.differences(Recipe({}, data=other)) == [
        "data of train_dataloader.dataset.pictures: '3 files' -> '2 files'"
    ]
    assert mine.digest != Recipe({}, data=other).digest
    for unknown in (None, {}):  # of before, or the data is gone
        assert mine.differences(Recipe({}, data=unknown)) == []
        assert Recipe({}, data=unknown).digest == Recipe({}).digest


def test_it_is_kept_in_the_recipe_and_a_recipe_of_before_is_read(tmp_path):
    mine = Recipe({'a': 1}, data={'model': {'x': '1'}})
    mine.write(tmp_path)
    assert Recipe.read(tmp_path) == mine
    path = tmp_path / 'recipe.json'
    content = json.loads(path.read_text())
    content['recipe']['data'] = {'model': 1}
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match='data'):
        Recipe.read(tmp_path)
    path.write_text(path.read_text()[:-9])
    with pytest.raises(UserError, match='not valid JSON'):
        Recipe.read(tmp_path)
    with pytest.raises(FileNotFoundError):
        Recipe.read(tmp_path / 'nowhere')
    del content['recipe']['data']
    path.write_text(json.dumps(content))
    assert Recipe.read(tmp_path).data is None


def test_a_study_on_other_pictures_is_done_again_and_says_why(study, folders, tmp_path, capsys):
    plan = study(arms=('fine-tune',))
    config = Config.fromfile(tmp_path / 'net.py')
    for split in ('train', 'val', 'test'):
        kind = 'train' if split == 'train' else 'test'
        data = dict(type='rethink_det.ImageFolder', data_root=str(folders), split=kind)
        config[f'{split}_dataloader'].dataset = data
    config.dump(tmp_path / 'net.py')
    plan = Study.load(tmp_path / 'study.py')
    first = execute_study(plan, tmp_path / 'work')
    again = execute_study(plan, tmp_path / 'work')
    assert [run.identity for run in again.runs] == [run.identity for run in first.runs]
    assert 'done again' not in capsys.readouterr().err
    picture(folders / 'train' / 'a' / '0.png', 77)
    other = execute_study(plan, tmp_path / 'work')
    told = capsys.readouterr().err
    assert 'done again: data of train_dataloader.dataset.pictures: ' in told
    assert {a.digest for a in other.runs}.isdisjoint(b.digest for b in first.runs)
