"""A classifier of 32 x 32 images with a linear head.

Augmentation and normalisation of arXiv 1810.05270's code, the same on CIFAR-10 and CIFAR-100:
pad 4, crop, flip; mean .4914 .4822 .4465, std .2023 .1994 .2010.
"""

model = dict(
    type='rethink_det.Classifier',
    head=dict(type='rethink_det.LinearHead', num_classes=10),
    input_shape=(3, 32, 32),
    data_preprocessor=dict(
        type='rethink_det.ImagePreprocessor',
        mean=[125.307, 122.961, 113.8575],
        std=[51.5865, 50.847, 51.255],
        pad=4,
        flip=0.5,
    ),
)
