"""What is taken where nothing is said, and what else libraries know and command lines tell.

``--help`` and a mistake on a command line import no library, so what both say stands below both.
"""

RETRIES = 1
"""How often a run of a study is handed out again whose process died."""

STALL_MINUTES = 120.0
"""Without progress after which a run of a study is ended."""

AUTO, MEMBERS = 'auto', 32
"""As the device suggests, of trainings computed together; and how many on a GPU, if they fit."""

DETECTOR = 'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'
"""What a study is written of where no detector is named."""

ZEROS = 0.01
"""From which share of exact zeros on a layer is taken for a masked one."""

ANY_BATCH = 'dynamic'
"""The batch size of an exported file that takes any number of images."""

TIMED_RATIO = 0.5
"""Of all widths, what is removed where ways to prune are timed."""

TIMED_EXPORTS = 10
"""Rounds in which the files that an export writes are timed."""

TIMED_IMAGES = {'cpu': 512, 'cuda': 25_600}
"""Of an epoch of a classifier whose training is timed, by the kind of device."""

TIMED_ON_GPU, GPU_ROUNDS = 'resnet56', 5
"""The architecture whose training is timed on a GPU, and in how many rounds."""

READ_HEADS = (
    'a linear layer, a 1 x 1 convolution in its place, BatchNorm and a linear layer, and distilled '
    'pairs of these'
)
"""Heads of classifiers of other libraries that have a counterpart here."""
