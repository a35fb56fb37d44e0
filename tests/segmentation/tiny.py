"""mmsegmentation's configs on a handful of embedded shapes."""

from pathlib import Path

from rethink_det.datasets.shapes import build_shapes

SIZE = dict(crops=(8, 8), images=(4, 2))
CLASSES = 9
_CONFIG = """
_base_ = 'mmseg::{name}'

custom_imports = dict(imports=['rethink_det'])
shapes = dict(
    _delete_=True, type='rethink_det.ShapesSegmentation', data_root={root!r}, split='train',
    crops=(8, 8), images=(4, 2),
    pipeline=[
        dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'), dict(type='PackSegInputs'),
    ],
)
train_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False, dataset=shapes)
val_dataloader = dict(
    batch_size=1, num_workers=0, persistent_workers=False, dataset=dict(shapes, split='val'),
)
test_dataloader = val_dataloader
train_cfg = dict(max_iters={iterations}, val_interval=2)
model = dict(
    data_preprocessor=dict(size=(128, 128)),
    {heads}
)
"""


def write_config(folder: Path, name: str, heads=('decode_head', 'auxiliary_head'), iterations=2):
    """A config file of the user's, on shapes; two steps of two images are an epoch."""
    root = build_shapes(folder / 'shapes', **SIZE)
    path = folder / f'{Path(name).stem}.py'
    told = '\n    '.join(f'{head}=dict(num_classes={CLASSES}),' for head in heads)
    path.write_text(
        _CONFIG.format(name=name, root=str(root), iterations=iterations, heads=told),
        encoding='utf-8',
    )
    return path
