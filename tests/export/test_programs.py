"""Programs of torch: they need no code of this package, and compute what the network does."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from rethink_det import UserError
from rethink_det.export import export_program
from rethink_det.export.onnx import Exportable
from rethink_det.export.programs import EXPORTED, SCRIPTED, Program, to_program
from tests.small_detectors import SHAPE, config, detector, image

FORMATS = (EXPORTED, SCRIPTED)
ELSEWHERE = """
import sys
sys.modules['rethink_det'] = sys.modules['mmdet'] = sys.modules['mmengine'] = None
import torch, torchvision
program, images, out = sys.argv[1:]
suffix = program.rpartition('.')[2]
run = torch.export.load(program).module() if suffix == 'pt2' else torch.jit.load(program)
with torch.no_grad():
    torch.save(run(torch.load(images)), out)
"""


@pytest.fixture
def trained(tmp_path):
    """A checkpoint of a small Faster R-CNN that finds something."""
    torch.save({'state_dict': detector().state_dict()}, tmp_path / 'trained.pth')
    return tmp_path / 'trained.pth'


def elsewhere(path, images):
    """What a program puts out in a process that has torch and torchvision alone."""
    torch.save(images, path.with_name('images.pth'))
    command = [sys.executable, '-c', ELSEWHERE, path, path.with_name('images.pth')]
    subprocess.run([*command, path.with_name('out.pth')], check=True)
    return torch.load(path.with_name('out.pth'))


@pytest.mark.parametrize('suffix', FORMATS)
def test_a_classifier_for_any_number_of_images(suffix, small_checkpoint, tmp_path):
    file = export_program(small_checkpoint, tmp_path / f'small{suffix}')
    program = Program(file.path.read_bytes(), suffix, {})
    assert file.exportable.batch is None
    for batch in (1, 5):
        images = file.exportable.random_images(batch, seed=7)
        (found,), (expected,) = program.run(images), file.exportable.run(images)
        assert found.shape == (batch, 3)
        torch.testing.assert_close(found, expected)


@pytest.mark.slow
@pytest.mark.parametrize('suffix', FORMATS)
def test_heads_of_a_detector_where_this_package_is_not(suffix, trained, tmp_path):
    file = export_program(
        trained, tmp_path / f'heads{suffix}', config(), input_shape=SHAPE, heads=True
    )
    assert file.exportable.batch == 1 and len(file.exportable.outputs) == 12
    found, expected = elsewhere(file.path, image(3)), file.exportable.run(image(3))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_a_whole_detector(trained, tmp_path):
    file = export_program(trained, tmp_path / 'whole.ts', config(), input_shape=SHAPE)
    program = Program(file.path.read_bytes(), SCRIPTED, file.exportable.settings)
    boxes, scores, labels = program.run(image(5))
    expected = file.exportable.run(image(5))
    assert len(boxes) == len(scores) == len(labels) == len(expected[0]) > 5
    torch.testing.assert_close(boxes, expected[0], rtol=1e-4, atol=1e-3)
    assert len(program.run(image(5), score_threshold=1.0)[0]) == 0


def test_the_command_says_what_it_wrote(command, small_checkpoint):
    done = command('export', small_checkpoint, '--torch')
    assert done.status == 0, done.err
    assert f'wrote {small_checkpoint.with_suffix(".pt2")}' in done.out
    assert 'the program differs from PyTorch by' in done.out and 'torch.export' in done.out


# -- refusals ------------------------------------------------------------------------------


class Deciding(nn.Module):
    """Computes something else for bright images."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 2, 1)

    def forward(self, images):
        return self.layer(images) if images.mean() > 0 else self.layer(images) * 2


@pytest.mark.parametrize('suffix', FORMATS)
def test_a_network_that_decides_by_its_image_is_refused(suffix):
    message = dict(zip(FORMATS, ('Deciding cannot be a .pt2 file', 'disagree'), strict=True))
    with pytest.raises(UserError, match=message[suffix]):
        to_program(Exportable(Deciding(), (3, 4, 4), ('map',), batch=2), suffix)


@pytest.mark.slow
def test_a_program_that_must_find_something_is_refused(trained, tmp_path):
    with pytest.raises(UserError, match='RCNNGraph cannot be a .pt2 file: .*Take .ts, or --heads'):
        export_program(trained, tmp_path / 'whole.pt2', config(), input_shape=SHAPE)
    assert not (tmp_path / 'whole.pt2').exists()


def test_another_name_is_refused(small_checkpoint, tmp_path):
    with pytest.raises(UserError, match=r'ends in .pt2 \(torch.export\) or .ts'):
        export_program(small_checkpoint, tmp_path / 'small.pt')


def test_heads_are_a_detectors(refusal, small_checkpoint):
    assert '--heads is for detectors' in refusal('export', small_checkpoint, '--torch', '--heads')
    assert 'no --heads' in refusal('export', small_checkpoint, '--timm', '--heads')
    assert not small_checkpoint.with_suffix('.pt2').exists()
