"""ImageNet, ``data/imagenet/{train,val}/<wnid>/*.JPEG``.

Batch and augmentation of arXiv 1810.05270's code: 256 (over all GPUs: divide by their number),
random resized crop and flip; centre crop in validation. Normalisation belongs to the model's
data_preprocessor, with ``pad=0, flip=0``: mean .485 .456 .406, std .229 .224 .225.
"""

train_dataloader = dict(
    batch_size=256,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='rethink_det.EpochSampler', shuffle=True),
    collate_fn=dict(type='rethink_det.batch_collate'),
    dataset=dict(type='rethink_det.ImageNet', data_root='data/imagenet', split='train', limit=None),
)
val_dataloader = dict(
    batch_size=256,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='rethink_det.batch_collate'),
    dataset=dict(type='rethink_det.ImageNet', data_root='data/imagenet', split='val', limit=None),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='rethink_det.Accuracy', topk=(1, 5))
test_evaluator = val_evaluator
