"""What a step has to be so that it can be recorded: it reads no number, and draws by tensors."""

import pytest
import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from rethink_det.architecture import Cut, PrunedArchitecture
from rethink_det.architecture.structure_scales import add_scales
from rethink_det.classification import Classifier, ImagePreprocessor

NAMES = ('resnet56-a', 'vgg16-cifar', 'preresnet110', 'densenet40')


def classifier(architecture):
    """A classifier of that shape, with an augmentation that draws."""
    backbone = dict(type='rethink_det.PrunedBackbone', architecture=architecture.to_dict())
    preprocessor = dict(
        type='rethink_det.ImagePreprocessor', mean=[125.0] * 3, std=[60.0] * 3, pad=4
    )
    return Classifier(backbone, data_preprocessor=preprocessor).train()


def step(model, shape):
    """Augmentation, forward and backward on tensors without values: a number cannot be read."""
    with FakeTensorMode(allow_non_fake_inputs=True):
        images = torch.zeros(2, *shape, dtype=torch.uint8)
        labels = torch.zeros(2, dtype=torch.int64)
        data = model.data_preprocessor(dict(inputs=images, gt_label=labels), True)
        loss, _ = model.parse_losses(model(**data, mode='loss'))
        wanting = [p for p in model.parameters() if p.requires_grad]
        return loss, torch.autograd.grad(loss, wanting)


@pytest.mark.parametrize('name', NAMES)
def test_a_step_of_a_published_network_reads_no_number(name):
    architecture = PrunedArchitecture.load(name)
    model = classifier(architecture)
    loss, gradients = step(model, architecture.input_shape)
    assert loss.shape == () and len(gradients) == sum(p.requires_grad for p in model.parameters())


def test_nor_does_one_with_selected_inputs_or_scaled_structures(cifar):
    base = cifar()
    selected = base.after(Cut(selections={'layer2.0.conv1': (0, 1, 3)}))
    step(classifier(selected), base.input_shape)
    scaled = classifier(base)
    add_scales(scaled.backbone, 'block')
    step(scaled, base.input_shape)


def test_a_network_that_reads_one_is_noticed_here(cifar):
    model = classifier(cifar())
    model.backbone.register_forward_pre_hook(lambda module, inputs: inputs[0].sum().item())
    with pytest.raises(DataDependentOutputException):
        step(model, (3, 16, 16))


def test_the_augmentation_draws_from_the_generator_of_its_device(cifar):
    preprocess = ImagePreprocessor([125.0] * 3, [60.0] * 3, pad=2)
    images = torch.randint(255, (4, 3, 16, 16), dtype=torch.uint8)

    def augmented(seed):
        torch.manual_seed(seed)
        return preprocess(dict(inputs=images), True)['inputs']

    assert torch.equal(augmented(1), augmented(1)) and not torch.equal(augmented(1), augmented(2))
