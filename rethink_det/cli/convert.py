"""What ``rethink-det convert`` does."""

import argparse

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.classification.arm_config import classifier_architecture
from rethink_det.classification.mmpretrain_config import (
    config_of_mmpretrain,
    is_of_mmpretrain,
    mmpretrain_architecture,
)
from rethink_det.cli.config_options import import_modules
from rethink_det.cli.output import check_output
from rethink_det.convert import Converted, convert_checkpoint, load_base
from rethink_det.convert.library_weights import library_name
from rethink_det.errors import UserError
from rethink_det.training.config import find_config, load_config


def run(options: argparse.Namespace) -> int:
    """Convert, write the checkpoint, print what was found out and what is left of each layer."""
    check_output(options.out, (options.source, options.base, options.subnet), options.force)
    import_modules(options.imports)
    if published := library_name(options.source):
        return _copy(options, published)
    base, convention = _base(options.base)
    converted = convert_checkpoint(options.source, base, options.subnet, options.masks, options.ema)
    converted.checkpoint(convention).write(options.out)
    _show(converted)
    print(f'wrote {options.out}')
    print(_images(converted, convention))
    return 0


def _copy(options: argparse.Namespace, published: str) -> int:
    """Write a library's published weights, which are converted already."""
    if options.base or options.subnet or options.masks is not None or options.ema:
        raise UserError(
            f'{published} says itself what it is: leave out --base, --subnet, --masks and --ema.'
        )
    checkpoint = Checkpoint.read(options.source)
    checkpoint.write(options.out)
    architecture = PrunedArchitecture.load(checkpoint)
    print(architecture)
    print(f'wrote {options.out}, the weights {published}')
    height, width = architecture.input_shape[1:]
    print(f'images: {checkpoint.input_convention}, {height} x {width} pixels')
    return 0


def _images(converted: Converted, said: InputConvention | None) -> str:
    """How its images are normalised, and who says so; or that nobody does."""
    height, width = converted.architecture.input_shape[1:]
    size = f'{height} x {width} pixels'
    if said is not None:
        return f'images: {said}, {size}, as the config of --base says'
    if converted.wanted is not None:
        return (
            f'images: {converted.wanted.convention}, {size}, as {converted.wanted.whose} wants '
            'them; if these weights were trained otherwise, name their config by --base'
        )
    return (
        f'images: {size}; NOT KNOWN is how they are normalised, and weights are worth nothing '
        'under another mean and std: name the config of the classifier by --base'
    )


def _base(name: str | None) -> tuple[PrunedArchitecture | None, InputConvention | None]:
    """What the network was, and how a config says that its images are normalised."""
    if name is None:
        return None, None
    if name.endswith('.py') or '::' in name:
        config = load_config(find_config(config_of_mmpretrain(name)))
        if is_of_mmpretrain(config):
            return mmpretrain_architecture(config, name), _convention_of_mmpretrain(config)
        settings = config.model.get('data_preprocessor')
        return classifier_architecture(config), InputConvention.of_settings(settings)
    return load_base(name), None


def _convention_of_mmpretrain(config: Config) -> InputConvention | None:
    """mmpretrain says apart from the model how images are normalised, and BGR by another key."""
    settings = config.model.get('data_preprocessor') or config.get('data_preprocessor') or {}
    return InputConvention.of_settings({**settings, 'bgr_to_rgb': settings.get('to_rgb')})


def _show(converted: Converted) -> None:
    for line in converted.inferred:
        print(f'inferred: {line}')
    print(converted.architecture)
    before, after = converted.architecture.base.cost(), converted.architecture.cost()
    for name in ('params', 'macs'):
        old, new = getattr(before, name), getattr(after, name)
        print(f'{name}: {new:,} of {old:,} ({new / old:.1%})')
