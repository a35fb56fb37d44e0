"""A given network that scores like guessing was not read as it was trained.

Tensors do not tell how their network wants its images, in which order it scores the classes, or
what its layers without weights do. Where any of that is taken wrongly nothing fails: the score is
that of guessing, and every verdict that follows would be about another network.
"""

from collections.abc import Sequence

from scipy.stats import binom

from rethink_det.errors import UserError

LEARNED = 2.0
"""A trained network is right at least so many times as often as guessing is."""

LEVEL = 0.01
"""How likely a network that is right that often may score as low by chance."""


def check_beats_guessing(
    path: str, top1: float, images: int, classes: int, inferred: Sequence[str] = ()
) -> None:
    """Refuse a given network that scores as if it guessed.

    Args:
        path: Its file, for messages.
        top1: Accuracy in percent.
        images: Test images that it was measured on.
        classes: Number of classes; with two nothing is twice as often right as guessing.
        inferred: What was found out and not said when it was read, for the message.

    Raises:
        UserError: It is less than :data:`LEARNED` times as often right as guessing is, and the
            images are enough to say so at :data:`LEVEL`.
    """
    hits, wanted = round(top1 / 100 * images), LEARNED / classes
    if wanted >= 1 or binom.cdf(hits, images, wanted) > LEVEL:
        return
    raise UserError(
        f'{path} scores {top1:.4g} % on {images} test images, and guessing among {classes} '
        f'classes {100 / classes:.4g} %: it is not read as it was trained. What no tensor tells '
        'follows from the config: compare how images are normalised (model.data_preprocessor), '
        'the order of the classes, and settings of the backbone that have no weights (of a '
        'CIFAR ResNet its shortcut, of a ResNet its style), and set them by --cfg-options or, in '
        'a study, by options.' + ''.join(f' When it was read: {line}.' for line in inferred)
    )
