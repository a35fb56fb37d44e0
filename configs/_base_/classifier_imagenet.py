"""A classifier of 224 x 224 images with a linear head, normalised as ImageNet usually is.

The crop and the flip are the data set's.
"""

model = dict(
    type='rethink_det.Classifier',
    head=dict(type='rethink_det.LinearHead', num_classes=1000),
    input_shape=(3, 224, 224),
    data_preprocessor=dict(
        type='rethink_det.ImagePreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        pad=0,
        flip=0.0,
    ),
)
