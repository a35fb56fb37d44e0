"""Images are normalised as the classifier's were."""

import pytest

from tests.detection.transfer.adapting import adapt, adapted

RGB = dict(channels='rgb', mean=[1.0, 2.0, 3.0], std=[4.0, 5.0, 6.0])


BGR = RGB | dict(channels='bgr')


@pytest.mark.parametrize('arm', ['prune-c', 'random'])
@pytest.mark.parametrize('convention, swapped', [(RGB, True), (BGR, False)])
def test_images_are_normalised_as_the_classifiers_were(
    coco, resnet, saved, arm, convention, swapped
):
    found = adapted(coco, arm, saved(resnet(), input_convention=convention))
    new = found.config.model.data_preprocessor
    assert (new.mean, new.std, new.bgr_to_rgb) == (RGB['mean'], RGB['std'], swapped)
    assert new.pad_size_divisor == 32 and new.type == 'DetDataPreprocessor'
    (line,) = map(str, found.changes)
    assert 'model.data_preprocessor: RGB, mean 123.675' in line
    assert f'{convention["channels"].upper()}, mean 1, 2, 3' in line


def test_the_same_normalisation_is_not_mentioned(coco, resnet, saved):
    old = coco.model.data_preprocessor
    source = saved(resnet(), input_convention=RGB | dict(mean=old.mean, std=old.std))
    found = adapted(coco, 'prune-c', source)
    assert found.config.model.data_preprocessor == old
    assert found.changes == ()


def test_an_unknown_normalisation_changes_nothing(coco, resnet, saved):
    new = adapt(coco, 'prune-c', saved(resnet()))
    assert new.model.data_preprocessor == coco.model.data_preprocessor
    assert adapt(coco, 'random', 'resnet34-a').model.data_preprocessor == (
        coco.model.data_preprocessor
    )
