"""A study config to begin with: what a user has, and comments on what can be changed."""

from os import PathLike
from pathlib import Path

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.convert.library_weights import library_name
from rethink_det.defaults import DETECTOR
from rethink_det.detection.datasets.coco_folder import CocoFolder
from rethink_det.errors import UserError

_TEXT = '''"""{title}.

Question: does a detector that was trained and pruned (prune-d) keep more than its own shape trained
from nothing with the same compute (scratch-d)?
Data: {data}: {images} training images, {classes} ({names}).
Backbone: {backbone}, {what}.
Run: rethink-det study {file} --dry-run
     rethink-det study {file} --work-dir work_dirs/{stem} --workers 1
"""

study = dict(
    title='{title}',
    # Repetitions: three are the least for an interval; two tell that there is a spread.
    seeds=[0, 1, 2],
    primary=dict(arm='scratch-d', baseline='prune-d'),
    classification=dict(
        parent={backbone!r},
        # Three quarters of the multiply-adds of the whole detector; params=0.5 and ratios=0.3 are
        # others. Its heads stay as they are: what they cost is the least that can be left, and
        # the backbone alone pays for all that goes.
        # Coupled groups: residual streams, grouped convolutions and attention are narrowed, too.
        pruner=dict(type='GroupNormPruner', macs=0.75),
    ),
    detection=[
        dict(
            config={detector!r},
            data_root={data!r},
            # unpruned-d: trained twice without pruning, what the second training does by itself.
            # random and unpruned are others; rethink-det train --help lists all.
            arms=['unpruned-d', 'prune-d', 'scratch-d'],
            epochs=12,
        ),
    ],
)
'''


def study_template(
    data: str | PathLike, backbone: str | PathLike, file: Path, detector: str = DETECTOR
) -> str:
    """The text of a study of a detector on a user's data, with the user's backbone.

    Args:
        data: Folder of a data set in COCO format.
        backbone: Checkpoint of a classifier that describes itself.
        file: Where the text is to be written.
        detector: Config of the detector.

    Raises:
        UserError: The folder is not in COCO format, or the checkpoint does not say what it is.
    """
    found = CocoFolder.find(Path(data))
    checkpoint = Checkpoint.read(backbone)
    if checkpoint.architecture is None:
        raise UserError(
            f'{backbone} does not describe its architecture: make it self-describing first, '
            f'rethink-det convert {backbone} --out NAME.pth.'
        )
    shape = PrunedArchitecture.load(checkpoint)
    folder = Path(data).resolve().name
    return _TEXT.format(
        title=f'{Path(detector.rpartition("::")[2]).stem} on {folder}'.replace("'", ''),
        data=str(data),
        images=len(found.train.annotations.images),
        classes=f'{len(found.classes)} class{"es" * (len(found.classes) != 1)}',
        names=', '.join(found.classes[:5]) + (', ...' if len(found.classes) > 5 else ''),
        backbone=library_name(backbone) or str(backbone),
        what=shape.name or shape.backbone['type'],
        detector=detector,
        file=file,
        stem=file.stem,
    )
