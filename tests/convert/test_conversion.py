"""Foreign weights of whole networks: found, renamed, loaded exactly, or refused by name."""

from functools import cache

import pytest
import torch
import torchvision

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture
from rethink_det.classification import CifarResNet
from rethink_det.convert import convert_checkpoint, load_base
from rethink_det.convert.known_networks import PARENTS, TORCHVISION, identify


class Akamaster(CifarResNet):
    """A CIFAR ResNet as its well-known code names it: the head is called ``linear``."""

    def __init__(self, depth=20):
        super().__init__(depth, shortcut='subsample')
        self.linear = torch.nn.Linear(64, 10)

    def forward(self, images):
        return self.linear(super().forward(images)[-1].mean((2, 3)))


@cache
def resnet18():
    torch.manual_seed(0)
    return torchvision.models.resnet18(weights=None, num_classes=7).eval()


@pytest.fixture
def small(cifar):
    return cifar().build_network().state_dict()


@pytest.fixture
def saved(tmp_path):
    """Writes a checkpoint and returns its file."""

    def write(content, name='foreign.pth', **options):
        torch.save(content, tmp_path / name, **options)
        return tmp_path / name

    return write


@torch.no_grad()
def scores(converted, images):
    return converted.architecture.network_with(converted.state_dict).eval()(images)


# -- whose weights they are ----------------------------------------------------------------


@pytest.mark.parametrize('name', TORCHVISION)
def test_each_network_of_torchvision_is_known_by_its_tensors(name):
    with torch.device('meta'):
        state = torchvision.models.get_model(name, weights=None).state_dict()
    assert identify(state, 'a file') == TORCHVISION[name]


@torch.no_grad()
def test_weights_of_torchvision_compute_what_they_did_there(saved, unsettle):
    theirs, images = unsettle(resnet18()), torch.randn(2, 3, 64, 64)
    converted = convert_checkpoint(saved(theirs.state_dict()))
    assert converted.architecture.head['num_classes'] == 7
    assert converted.architecture.backbone == TORCHVISION['resnet18'].backbone
    assert torch.equal(scores(converted, images), theirs(images))


@pytest.mark.slow
@torch.no_grad()
def test_grouped_convolutions_of_torchvision_compute_what_they_did_there(saved, unsettle):
    theirs = unsettle(torchvision.models.resnext50_32x4d(weights=None)).eval()
    images = torch.randn(1, 3, 64, 64)
    converted = convert_checkpoint(saved(theirs.state_dict()))
    assert (scores(converted, images) - theirs(images)).abs().max() <= 1e-5


@torch.no_grad()
def test_a_cifar_resnet_whose_head_is_linear_subsamples(saved, unsettle):
    theirs, images = unsettle(Akamaster()).eval(), torch.randn(2, 3, 32, 32)
    wrapped = {f'module.{name}': t for name, t in theirs.state_dict().items()}
    converted = convert_checkpoint(saved({'state_dict': wrapped, 'best_prec1': 91.7}))
    assert converted.architecture == PARENTS['resnet20-subsample']
    assert torch.allclose(scores(converted, images), theirs(images), atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize('shortcut, told', [('avgpool', True), ('subsample', False)])
def test_what_no_tensor_tells_is_said(saved, shortcut, told):
    path = saved(Akamaster().state_dict())
    backbone = {'type': 'rethink_det.CifarResNet', 'depth': 20, 'shortcut': shortcut}
    head = {'type': 'rethink_det.LinearHead', 'num_classes': 10}
    before = torch.get_rng_state()
    notes = convert_checkpoint(path, PrunedArchitecture(backbone, head, (3, 32, 32))).inferred
    assert torch.equal(torch.get_rng_state(), before)
    said = [note for note in notes if 'no tensor tells which of the two was trained' in note]
    assert len(said) == told
    assert not told or "shortcut 'subsample' there, 'avgpool' here" in said[0]


def test_real_weights_of_an_old_torch(shared):
    path = shared / 'weights' / 'resnet56-4bfd9763.th'
    if not path.is_file():
        pytest.skip(f'{path} is not there')
    converted = convert_checkpoint(path)
    theirs = torch.load(path, 'cpu', weights_only=True)['state_dict']
    assert converted.architecture == PARENTS['resnet56-subsample']
    ours = converted.state_dict['backbone.layer3.8.conv2.weight']
    assert torch.equal(ours, theirs['module.layer3.8.conv2.weight'])


def test_a_published_name_goes_before_torchvisions():
    assert load_base('resnet34') == PrunedArchitecture.load('resnet34')
    assert load_base('vgg16_bn').head['type'] == 'rethink_det.MLPHead'


@pytest.mark.parametrize('wrapper', ['state_dict', 'model', 'net', 'params', 'model_state_dict'])
@pytest.mark.parametrize('prefix', ['', 'module.', 'architecture.', 'module.backbone.'])
def test_wrappers_and_prefixes_make_no_difference(cifar, small, saved, wrapper, prefix):
    foreign = {prefix + n.removeprefix('backbone.'): t for n, t in small.items() if 'fc' not in n}
    foreign |= {n.replace('head.fc', 'linear'): t for n, t in small.items() if 'fc' in n}
    converted = convert_checkpoint(saved({wrapper: foreign, 'epoch': 3}), cifar())
    assert converted.architecture == cifar()
    assert all(torch.equal(t, small[n]) for n, t in converted.state_dict.items())


def test_what_is_written_in_half_precision_is_read_in_full(cifar, small, saved):
    half = {n: t.half() if t.is_floating_point() else t for n, t in small.items()}
    converted = convert_checkpoint(saved(half), cifar())
    assert {t.dtype for t in converted.state_dict.values()} == {torch.float32, torch.int64}


# -- refusals ------------------------------------------------------------------------------


def test_a_network_that_is_not_known_needs_a_base(small, saved):
    with pytest.raises(UserError, match=r'foreign.pth is no network .* say by --base'):
        convert_checkpoint(saved(small))


def test_a_cut_network_without_base_hears_whose_names_it_has(saved):
    state = resnet18().state_dict()
    state['layer1.0.conv1.weight'] = state['layer1.0.conv1.weight'][:5]
    with pytest.raises(UserError, match=r'those of resnet18 are called alike'):
        convert_checkpoint(saved(state))


@pytest.mark.parametrize(
    'base, message',
    [
        ('resnet34', r'layer1\.0\.conv2|missing'),
        ('vgg16-bn-cifar', r'features\.0\.weight is missing .* another network than vgg16-bn-'),
        ('no-such-network', r"No architecture 'no-such-network'.*resnet34.*resnext50_32x4d"),
    ],
)
def test_the_wrong_base_is_refused(small, saved, base, message):
    with pytest.raises(UserError, match=message):
        convert_checkpoint(saved(small), base)


def test_a_missing_tensor_is_named(cifar, small, saved):
    del small['backbone.bn1.weight']
    with pytest.raises(UserError, match=r'foreign\.pth: bn1\.weight is missing \(1 of 37'):
        convert_checkpoint(saved(small), cifar())


def test_a_tensor_too_many_is_named(cifar, small, saved):
    small['backbone.conv1.bias'] = torch.zeros(4)
    with pytest.raises(UserError, match=r'has no tensor conv1\.bias'):
        convert_checkpoint(saved(small), cifar())


def test_one_tensor_under_two_names_is_refused(cifar, small, saved):
    small['linear.bias'] = small['head.fc.bias']
    with pytest.raises(UserError, match=r'has the tensor head\.fc\.bias twice, once as linear'):
        convert_checkpoint(saved(small), cifar())


@pytest.mark.parametrize('make', [lambda t: t.to(torch.int32), lambda t: t.to_sparse()])
def test_weights_that_are_no_dense_floats_are_refused(cifar, small, saved, make):
    small['backbone.conv1.weight'] = make(small['backbone.conv1.weight'])
    with pytest.raises(UserError, match=r'backbone\.conv1\.weight is a .*only dense'):
        convert_checkpoint(saved(small), cifar())


@pytest.mark.parametrize('content', [{}, {'epoch': 1}, {'state_dict': {}}, {'net': {'a': 'b'}}])
def test_a_checkpoint_without_tensors_is_refused(saved, content):
    with pytest.raises(UserError, match='holds no tensors'):
        convert_checkpoint(saved(content))


def test_a_checkpoint_of_ours_is_refused(cifar, small, saved):
    own = {'meta': {'architecture': cifar().to_dict()}, 'state_dict': small}
    with pytest.raises(UserError, match='describes itself already'):
        convert_checkpoint(saved(own))


@pytest.mark.parametrize('zipped', [True, False])
def test_a_pickled_model_is_refused_with_the_remedy(saved, zipped):
    model = saved(torch.nn.Conv2d(1, 1, 1), _use_new_zipfile_serialization=zipped)
    with pytest.raises(UserError, match=r'Conv2d was refused.*of a whole model: its state_dict'):
        convert_checkpoint(model)


def test_no_such_file(tmp_path):
    with pytest.raises(UserError, match='none.pth does not exist'):
        convert_checkpoint(tmp_path / 'none.pth')
