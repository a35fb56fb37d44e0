"""The trained networks that a study is given in place of training them: read, and as configs.

A file of this package says what it is. One of another tool is read as ``rethink-det convert`` reads
it. Where a study has no classification data it has no config of the classifier either, and what
stands for that follows from the file.
"""

from dataclasses import replace

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.classification.arm_config import classifier_architecture
from rethink_det.convert import convert_checkpoint
from rethink_det.convert.known_networks import shapes_of
from rethink_det.convert.tensor_names import COUNTER
from rethink_det.errors import UserError
from rethink_det.files import plain
from rethink_det.study.plans import ClassificationPlan
from rethink_det.training.arm_weights import check_given_parent
from rethink_det.training.config import load_config

KEY = 'study.classification.base'


def read_parent(
    path: str, base: str | None = None, config: Config | None = None, ema: bool = False
) -> Checkpoint:
    """A trained classifier under the names and with the description of this package.

    Args:
        path: Its file, of this package or another tool.
        base: Of another tool's, what the network is, as ``rethink-det convert --base`` takes it;
            default: that of the config, or what its tensors tell.
        config: That it would be trained by, if there is one.
        ema: Take the weights that were averaged over its training.

    Raises:
        UserError: The file is missing, damaged or unsafe, not of such a network, or without
            averaged weights.
    """
    given = Checkpoint.read(path, ema)
    if given.architecture is not None:
        if base is not None:
            raise UserError(f'{KEY}: {path} says itself what it is; leave base={base!r} out.')
        return given
    own = None if config is None else classifier_architecture(config)
    if base is None and own is not None and _names_are_ours(given, own):
        return given
    settings = None if config is None else config.model.get('data_preprocessor')
    try:
        converted = convert_checkpoint(path, own if base is None else base, ema=ema)
    except UserError as error:
        raise UserError(f'{error} (In a study, --base is {KEY}.)') from None
    if config is not None:  # by which images are normalised, if at all
        converted = replace(converted, wanted=None)
    return replace(converted.checkpoint(InputConvention.of_settings(settings)), path=path)


def _names_are_ours(given: Checkpoint, own: PrunedArchitecture) -> bool:
    """Whether the weights are called as those of the config; whether they fit is seen later."""
    names = [{n for n in one if not n.endswith(COUNTER)} for one in (given.weights, shapes_of(own))]
    return names[0] == names[1]


def described_config(parent: Checkpoint) -> Config:
    """What stands for the config of a classifier whose training nobody told: a model alone.

    Raises:
        UserError: The checkpoint does not say what its network is.
    """
    architecture = PrunedArchitecture.load(parent)
    model = {
        'type': 'rethink_det.Classifier',
        'backbone': {'type': 'rethink_det.PrunedBackbone', 'architecture': architecture.to_dict()},
        'head': plain(architecture.head),
    }
    convention = parent.input_convention
    if convention is not None:
        kind = {'type': 'mmengine.ImgDataPreprocessor'}
        model['data_preprocessor'] = kind | convention.settings()
    return Config({'model': model})


def check_given_parents(plan: ClassificationPlan) -> None:
    """Refuse parents that cannot be what they are given for, before anything is started.

    Raises:
        UserError: One is missing, damaged or unsafe, or the weights of something else; or those of
            a study without a config are not of one architecture.
    """
    config = load_config(plan.config, plan.options) if plan.config else None
    found: dict[str, PrunedArchitecture] = {}
    for path in plan.given_parents:
        parent = read_parent(path, plan.base, config, plan.ema)
        check_given_parent(parent)
        if config is None:
            found[path] = PrunedArchitecture.load(parent)
    others = [path for path, one in found.items() if one != next(iter(found.values()))]
    if others:
        raise UserError(
            f'study.classification.parents: {others[0]} is another architecture than '
            f'{next(iter(found))}; give each a study of its own.'
        )
