"""A config in a run's folder says all of it, wherever it is read."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.config import Config

from rethink_det import PrunedArchitecture, UserError, load_config
from rethink_det.report.checksums import is_sealed
from rethink_det.training.written_config import with_architecture_inside, write_config

KEPT = {'layer1.0.conv1': [0, 1, 2, 5, 7, 8, 15], 'layer2.0.conv1': 3}
BACKBONE = {'type': 'mmdet.ResNet', 'depth': 18, 'base_channels': 16}


def shape(channels=KEPT):
    head = {'type': 'rethink_det.LinearHead', 'num_classes': 8}
    return PrunedArchitecture(BACKBONE, head, (3, 32, 32), channels=channels)


def config_of(source, **more):
    part = {'type': 'rethink_det.PrunedBackbone', 'architecture': str(source), 'norm_eval': False}
    return Config({'model': {'type': 'FasterRCNN', 'backbone': part}, **more})


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Writes a config of an architecture in a file, and reads it when both have been moved."""
    monkeypatch.chdir(tmp_path)

    def write(architecture, **more):
        architecture.save('shape.json')
        Path('run').mkdir()
        write_config(config_of('shape.json', **more), 'run/config.py')
        Path('shape.json').unlink()
        moved = Path('run').rename('moved')
        return load_config(moved / 'config.py')

    return write


def test_the_architecture_is_inside_to_the_index(written):
    config = written(shape())
    assert PrunedArchitecture.load(config.model.backbone.architecture) == shape()
    assert len(Path('moved/config.py').read_text().splitlines()) < 60


@settings(max_examples=10, deadline=None)
@given(st.sets(st.integers(0, 15), min_size=1).map(sorted))
def test_whatever_is_kept_is_read_again(kept):
    one = shape({'layer1.0.conv1': kept})
    assert PrunedArchitecture.from_dict(one.to_config()) == one


def test_the_work_dir_is_where_the_config_is(written):
    config = written(shape(), work_dir='elsewhere')
    assert Path(config.work_dir) == Path('moved').resolve()


def test_data_and_weights_are_found_from_every_folder(written, tmp_path, monkeypatch):
    for place in ('data', 'pictures', 'weights.pth', 'labels.json', 'annotations'):
        Path(place).mkdir()
    dataset = {'data_root': 'data/', 'ann_file': 'annotations', 'data_prefix': {'img': 'pictures'}}
    config = written(
        shape(),
        load_from='weights.pth',
        a=dataset,
        b={'data_root': '', 'ann_file': 'labels.json', 'data_prefix': {'img': 'pictures'}},
        c=[{'type': 'X', 'ann_file': 'not/there.json', 'checkpoint': 'weights.pth'}],
    )
    root = str(tmp_path.resolve())
    assert config.load_from == f'{root}/weights.pth'
    assert config.a == {**dataset, 'data_root': f'{root}/data/'}  # the others are within it
    assert config.b.ann_file == f'{root}/labels.json'
    assert config.b.data_prefix == {'img': f'{root}/pictures'}
    assert config.c == [
        {'type': 'X', 'ann_file': 'not/there.json', 'checkpoint': f'{root}/weights.pth'}
    ]


def test_published_names_stay():
    config = config_of('resnet50-thinet-50')
    assert with_architecture_inside(config).model.backbone.architecture == 'resnet50-thinet-50'


def test_an_architecture_that_is_gone_is_refused(tmp_path):
    with pytest.raises(UserError, match='No architecture .*gone.json'):
        write_config(config_of(tmp_path / 'gone.json'), tmp_path / 'config.py')
    assert not (tmp_path / 'config.py').exists()


def test_a_config_that_somebody_changed_is_not_taken_for_ours(written):
    written(shape())
    path = Path('moved/config.py')
    assert is_sealed(path)
    path.write_text(path.read_text() + 'more = 1\n')
    assert not is_sealed(path)
