"""A file is written from Python as from the command line, or nothing is."""

import pytest
import torch

from rethink_det import UserError
from rethink_det.export import export_onnx

for module in ('onnx', 'onnxscript', 'onnxruntime'):
    pytest.importorskip(module)


def test_a_file_says_what_is_in_it_and_is_run(small_checkpoint, cifar):
    file = export_onnx(small_checkpoint)
    assert file.path == small_checkpoint.with_suffix('.onnx')
    assert file.exportable.outputs == ('scores',)
    assert file.exportable.cost == cifar(channels={'layer1.0.conv1': 2}).cost()
    images = torch.randn(2, 3, 16, 16)
    (scores,), (expected,) = file.network().run(images), file.exportable.run(images)
    torch.testing.assert_close(scores, expected, rtol=1e-3, atol=1e-5)
    assert file.difference < 1e-4


def test_the_feature_maps_have_a_file_of_their_own(small_checkpoint):
    file = export_onnx(small_checkpoint, backbone=True, batch=2, input_shape=(3, 32, 32))
    assert file.path.name == 'small-backbone.onnx'
    maps = file.network().run(torch.randn(2, 3, 32, 32))
    assert [len(feature[0]) for feature in maps] == [4, 8, 16]


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(out='small.txt'), 'small.txt: the name of an ONNX file ends in .onnx'),
        (dict(batch=0), "must be a positive number or 'dynamic', got '0'"),
        (dict(batch=1.5), "got '1.5'"),
        (dict(input_shape=(3, 0, 8)), 'must be three positive numbers'),
        (dict(input_shape=(1, 8, 8)), 'cannot run on an input'),
        (dict(normalise=True), 'does not say how its images are normalised'),
    ],
)
def test_what_cannot_be_exported_leaves_no_file(small_checkpoint, settings, message):
    with pytest.raises(UserError, match=message):
        export_onnx(small_checkpoint, **settings)
    assert [path.name for path in small_checkpoint.parent.iterdir()] == ['small.pth']
