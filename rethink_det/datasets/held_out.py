"""A part of a data set that is held out, and what is left of it."""

from collections.abc import Mapping

from rethink_det.datasets.splits import choose
from rethink_det.datasets.tensor import ImageTensorDataset
from rethink_det.errors import UserError
from rethink_det.registered import build, registered
from rethink_det.registry import DATASETS

SHARE = 0.1
"""Of each class's images that are held out: as many of every class, and at least one."""


@DATASETS.register_module()
class HeldOut(ImageTensorDataset):
    """What is held out of another data set, or else what is left of it.

    The same images in every run: they do not depend on its seed.

    Args:
        dataset: An :class:`ImageTensorDataset`, or its config.
        held: Whether it is the part that is held out.

    Raises:
        UserError: The data set is of another kind, or a class has a single image.
    """

    def __init__(self, dataset: Mapping | ImageTensorDataset, held: bool) -> None:
        whole = build(DATASETS, dataset) if isinstance(dataset, Mapping) else dataset
        if not isinstance(whole, ImageTensorDataset):
            raise _indivisible(type(whole).__name__)
        classes = whole.metainfo['classes']
        smallest = int(whole.labels.bincount(minlength=len(classes)).min())
        count = len(classes) * max(1, int(SHARE * smallest))
        chosen = choose(whole.labels, classes, 'val' if held else 'train', val=count)
        super().__init__(whole.images[chosen], whole.labels[chosen], classes)


def check_divisible(dataset: Mapping) -> None:
    """Refuse a config of a data set of which :class:`HeldOut` makes no parts; nothing is built.

    Raises:
        UserError: It is no :class:`ImageTensorDataset`.
    """
    name = dataset.get('type')
    kind = registered(DATASETS, name) if name else None
    if not (isinstance(kind, type) and issubclass(kind, ImageTensorDataset)):
        raise _indivisible(name)


def _indivisible(kind: object) -> UserError:
    return UserError(
        'HeldOut: images are held out of a data set that is one tensor, such as '
        f'rethink_det.ImageFolder; {kind} is none, so that no learning rate can be tuned on it.'
    )
