"""One complete line of MMEngine, mmcv and mmdet is enough; two, or a half, are not."""

import pytest

from rethink_det.doctor import software

ONEDL = dict.fromkeys(software.LINES['onedl'], '1.0')
OPENMMLAB = dict.fromkeys(software.LINES['openmmlab'], '1.0')


def test_a_complete_line_is_enough():
    for line, found in (('onedl', dict(onedl=ONEDL, openmmlab={})),
                        ('openmmlab', dict(onedl={}, openmmlab=OPENMMLAB))):  # fmt: skip
        judged = software.judge_line(found, has_pkg_resources=True)
        assert judged.facts['line'] == line
        assert not judged.essential_missing
        assert all(ability.works for ability in judged.abilities)


@pytest.mark.parametrize(
    'onedl, openmmlab, essential_missing, remedy',
    [
        ({}, {}, True, 'rethink-det[onedl]'),
        ({'onedl-mmcv': '1'}, {}, True, 'belong together'),
        ({'onedl-mmcv': '1'}, {'mmdet': '1'}, True, 'pip uninstall -y onedl-mmcv mmdet'),
        (ONEDL, OPENMMLAB, False, 'overwrite each other'),
    ],
)
def test_lines_that_do_not_work(onedl, openmmlab, essential_missing, remedy):
    found = software.judge_line(dict(onedl=onedl, openmmlab=openmmlab), has_pkg_resources=True)
    assert found.essential_missing == essential_missing
    assert [ability.works for ability in found.abilities] == [False]
    assert remedy in found.abilities[0].remedy


def test_the_official_line_needs_pkg_resources():
    found = dict(onedl={}, openmmlab=OPENMMLAB)
    (ability,) = software.judge_line(found, has_pkg_resources=False).abilities
    assert not ability.works
    assert 'setuptools<81' in ability.remedy


COMPILED = 'onedl-mmcv-cu128-torch2-8'


@pytest.mark.parametrize('torch, works', [('2.8.0+cu128', True), ('2.15.0', False)])
def test_a_compiled_mmcv_is_one_of_the_line_and_of_one_torch(monkeypatch, torch, works):
    monkeypatch.setattr(software, 'installed', lambda packages: {'torch': torch})
    parts = {COMPILED if name == 'onedl-mmcv' else name: '1' for name in ONEDL}
    judged = software.judge_line(dict(onedl=parts, openmmlab={}), has_pkg_resources=True)
    assert judged.facts['line'] == 'onedl' and judged.facts[COMPILED] == '1'
    assert not judged.essential_missing
    *_, ability = judged.abilities
    assert ability.works is works and COMPILED in ability.what
    assert 'compiled for torch 2.8' in ability.remedy


def test_a_compiled_mmcv_alone_is_no_line():
    judged = software.judge_line(dict(onedl={COMPILED: '1'}, openmmlab={}), has_pkg_resources=True)
    assert judged.essential_missing
