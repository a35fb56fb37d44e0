"""The size of the images that a detector looks at: what its own test pipeline makes of one."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from torch import nn

from rethink_det.detection.measuring.blank_image import blank_image
from rethink_det.errors import UserError, in_one_line
from rethink_det.registered import build, scope_of
from rethink_det.registry import DATASETS, MODELS
from rethink_det.training.generators import seeded

Shape = tuple[int, int, int]

DRAWS = 8
"""How often an image is prepared: a pipeline that draws a size anew is found out."""
BLANKS = ((640, 480), (320, 240))
"""Width and height of images where there are none: the ratio of most photographs, and two sizes,
since a pipeline that keeps an image's own size says nothing."""


@dataclass(frozen=True)
class InputSize:
    """What a detector is given of an image.

    Attributes:
        shape: ``(channels, height, width)``, padded as the model's preprocessor pads.
        origin: Where it comes from, in words.
    """

    shape: Shape
    origin: str


@dataclass(frozen=True)
class _Source:
    """A data set whose pipeline prepares images for the detector.

    Attributes:
        name: What the config calls it.
        dataset: Its settings.
    """

    name: str
    dataset: Mapping

    @property
    def pipeline(self) -> list:
        """The steps that an image goes through."""
        return _steps(self.dataset)


def input_size(config: Config) -> InputSize:
    """The size of a detector's images, found by preparing one as in its test.

    The image is the first of the test data; where the config has none, of the validation data,
    then of the training data, prepared as in the test if the config still says how. Where no image
    is at hand, a blank one takes its place: of the size that the annotations tell, or else of
    :data:`BLANKS`. Nothing of the config is changed, no random number is used up.

    Raises:
        UserError: It cannot be told; says why of all that was tried.
    """
    with scope_of(config, 'mmdet'), seeded(0):
        preprocessor = _preprocessor(config)
        reasons: dict[str, dict[str, None]] = {}
        for find in (_of_its_data, _of_blanks):
            for source in _sources(config):
                try:
                    return find(source, preprocessor)
                # Transforms and data sets are anyone's code and may raise anything.
                except Exception as error:
                    reasons.setdefault(in_one_line(error), {})[source.name] = None
    told = [f'{", ".join(names)}: {reason}' for reason, names in reasons.items()]
    tried = '; '.join(told) or 'the config has no data'
    raise UserError(f'The size of the images cannot be told ({tried}).')


def _sources(config: Config) -> Iterator[_Source]:
    """The data of the test, of the validation, of the training prepared as for those."""
    for name in ('test_dataloader', 'val_dataloader'):
        dataset = (config.get(name) or {}).get('dataset')
        if dataset:
            yield _Source(name, dataset)
    dataset = (config.get('train_dataloader') or {}).get('dataset')
    for name in ('test_pipeline', 'val_pipeline'):
        if dataset and config.get(name):
            yield _Source(f'train_dataloader with {name}', _prepared_by(config[name], dataset))
            return
    if dataset:
        yield _Source('train_dataloader', dataset)


def _prepared_by(pipeline: list, dataset: Mapping) -> dict:
    """The data set within all that is wrapped around it, with another pipeline."""
    while dataset.get('dataset') or dataset.get('datasets'):
        dataset = dataset.get('dataset') or dataset['datasets'][0]
    return {**dataset, 'pipeline': pipeline}


def _steps(dataset: Mapping) -> list:
    """Pipelines of a data set and of those around it, the innermost first."""
    inner = dataset.get('dataset') or next(iter(dataset.get('datasets') or ()), None)
    return [*(_steps(inner) if inner else ()), *(dataset.get('pipeline') or ())]


def _preprocessor(config: Config) -> nn.Module:
    """Of the model, or beside it, where a Runner looks, too."""
    settings = (config.get('model') or {}).get('data_preprocessor')
    settings = settings or config.get('data_preprocessor') or {'type': 'BaseDataPreprocessor'}
    settings = settings.get('data_preprocessor') or settings  # of several kinds of images
    try:
        return build(MODELS, settings)
    except Exception as error:  # anyone's code
        raise UserError(f'data_preprocessor cannot be built ({in_one_line(error)}).') from error


def _of_its_data(source: _Source, preprocessor: nn.Module) -> InputSize:
    """By the first image, or by a blank one of its size if the annotations alone are there."""
    dataset = build(DATASETS, source.dataset)
    try:
        shape = _only_shape(lambda: dataset[0], preprocessor)
        return InputSize(shape, f'the first image of {source.name}')
    except Exception as error:  # storage is of many kinds
        about = dataset.get_data_info(0)
        size = about.get('width'), about.get('height')
        if None in size:
            raise
        reason = in_one_line(error)
    shape = _blank_shape(source.pipeline, preprocessor, *size)
    known = 'a blank image of {}x{}, the size of the first of {}'.format(*size, source.name)
    return InputSize(shape, f'{known} ({reason})')


def _of_blanks(source: _Source, preprocessor: nn.Module) -> InputSize:
    """By blank images; their size must not matter."""
    if not source.pipeline:
        raise UserError('it has no pipeline')
    shapes = {_blank_shape(source.pipeline, preprocessor, *size) for size in BLANKS}
    if len(shapes) > 1:
        raise UserError('the size of an image is kept, and no image is at hand')
    width, height = BLANKS[0]
    return InputSize(shapes.pop(), f'a blank image of {width}x{height} through {source.name}')


def _blank_shape(pipeline: list, preprocessor: nn.Module, width: int, height: int) -> Shape:
    with blank_image(pipeline, width, height) as prepare:
        return _only_shape(prepare, preprocessor)


def _only_shape(prepare: Callable[[], Mapping], preprocessor: nn.Module) -> Shape:
    """The shape that an image gets, each time it is prepared.

    Raises:
        UserError: It gets several.
    """
    views = {tuple(one['inputs'].shape): one for _ in range(DRAWS) for one in _views(prepare())}
    shapes = {_padded(view, preprocessor) for view in views.values()}
    if len(shapes) > 1:
        several = ', '.join('x'.join(map(str, shape)) for shape in sorted(shapes))
        raise UserError(f'an image is looked at in several sizes: {several}')
    return shapes.pop()


def _views(sample: Mapping) -> list[Mapping]:
    """An image as it is, or all that test-time augmentation makes of it."""
    if not isinstance(sample['inputs'], list):
        return [sample]
    return [dict(zip(sample, view, strict=True)) for view in zip(*sample.values(), strict=True)]


def _padded(view: Mapping, preprocessor: nn.Module) -> Shape:
    (image,) = preprocessor(pseudo_collate([view]), training=False)['inputs']
    channels, height, width = image.shape[-3:]
    return channels, height, width
