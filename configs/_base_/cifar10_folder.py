"""CIFAR-10 as a folder of images, ``data/cifar10/{train,test}/<class>/<n>.jpg``.

Augmentation and normalisation of arXiv 1810.05270's code: pad 4, crop, flip.
"""

train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='rethink_det.batch_collate'),
    dataset=dict(
        type='rethink_det.ImageFolder', data_root='data/cifar10', split='train', limit=None
    ),
)
val_dataloader = dict(
    batch_size=256,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='rethink_det.batch_collate'),
    dataset=dict(
        type='rethink_det.ImageFolder', data_root='data/cifar10', split='test', limit=None
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='rethink_det.Accuracy', topk=(1, 5))
test_evaluator = val_evaluator
