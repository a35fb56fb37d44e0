"""Published top-1 in %, each number once: the tables of arXiv 1810.05270, by network and variant.

``paper``: its tables, as the authors of arXiv 2003.02389 quote them in their code
(``lottery-ticket/rewinding-iclr20-public``, ``vision/plot/gen.py``). On CIFAR-10 the mean of five
runs, with their deviation behind it; on ImageNet one run.
``code``: the READMEs of the authors' code, ``Eric-mingjie/rethinking-network-pruning``; one run.
Where an arm has no number, none is published with that code, and none was filled in from memory.
"""

paper = 'arXiv 1810.05270'
code = 'arXiv 1810.05270, README of its code'

published = dict(
    # CIFAR-10, L1-norm filter pruning
    resnet56={'unpruned': dict(value=93.14, source=paper)},  # +- 0.12
    resnet56_a={
        'scratch-e': dict(value=92.96, source=paper),  # +- 0.26
        'scratch-b': dict(value=93.09, source=paper),  # +- 0.14
    },
    resnet56_b={
        'scratch-e': dict(value=92.54, source=paper),  # +- 0.19
        'scratch-b': dict(value=93.05, source=paper),  # +- 0.18
    },
    resnet110={'unpruned': dict(value=93.14, source=paper)},  # +- 0.24
    resnet110_a={
        'scratch-e': dict(value=93.25, source=paper),  # +- 0.29
        'scratch-b': dict(value=93.22, source=paper),  # +- 0.22
    },
    resnet110_b={
        'scratch-e': dict(value=92.89, source=paper),  # +- 0.43
        'scratch-b': dict(value=93.60, source=paper),  # +- 0.25
    },
    # ImageNet, L1-norm filter pruning
    resnet34={'unpruned': dict(value=73.31, source=paper)},
    resnet34_a={
        'fine-tune': dict(value=72.56, source=code),
        'scratch-e': dict(value=72.77, source=code),
        'scratch-b': dict(value=73.08, source=code),  # the paper itself: 73.03
    },
    resnet34_b={
        'fine-tune': dict(value=72.29, source=code),
        'scratch-e': dict(value=72.55, source=code),
        'scratch-b': dict(value=72.84, source=code),  # the paper itself: 72.91
    },
    # ImageNet, ThiNet
    vgg16_thinet_conv={
        'scratch-e': dict(value=68.76, source=code),
        'scratch-b': dict(value=71.72, source=code),
    },
    vgg16_thinet_gap={
        'scratch-e': dict(value=66.85, source=code),
        'scratch-b': dict(value=68.66, source=code),
    },
    vgg16_thinet_tiny={
        'scratch-e': dict(value=57.15, source=code),
        'scratch-b': dict(value=59.93, source=code),
    },
    resnet50_thinet_30={
        'scratch-e': dict(value=70.91, source=code),
        'scratch-b': dict(value=71.57, source=code),
    },
    resnet50_thinet_50={
        'scratch-e': dict(value=73.31, source=code),
        'scratch-b': dict(value=73.90, source=code),
    },
    resnet50_thinet_70={
        'scratch-e': dict(value=74.42, source=code),
        'scratch-b': dict(value=75.14, source=code),
    },
    # ImageNet, regression-based feature reconstruction
    vgg16_regression_5x={
        'scratch-e': dict(value=68.05, source=code),
        'scratch-b': dict(value=71.00, source=code),
    },
    resnet50_regression_2x={
        'scratch-e': dict(value=71.26, source=code),
        'scratch-b': dict(value=74.58, source=code),
    },
    # ImageNet, network slimming. Fine-tuned and Scratch-E are masked networks of the full size.
    vgg11_bn_slimming_50={
        'fine-tune': dict(value=68.62, source=code),
        'scratch-e': dict(value=70.00, source=code),
        'scratch-b': dict(value=71.18, source=code),
    },
    # ImageNet, sparse structure selection
    preact_resnet50_sparse_structure_41={
        'scratch-e': dict(value=75.70, source=code),
        'scratch-b': dict(value=76.17, source=code),
    },
    preact_resnet50_sparse_structure_32={
        'scratch-e': dict(value=73.79, source=code),
        'scratch-b': dict(value=74.67, source=code),
    },
    preact_resnet50_sparse_structure_26={
        'scratch-e': dict(value=72.31, source=code),
        'scratch-b': dict(value=73.41, source=code),
    },
    # ImageNet, weights by magnitude
    vgg16_bn_magnitude_30={
        'fine-tune': dict(value=73.68, source=code),
        'scratch-e': dict(value=72.75, source=code),
        'scratch-b': dict(value=74.02, source=code),
    },
    vgg16_bn_magnitude_60={
        'fine-tune': dict(value=73.63, source=code),
        'scratch-e': dict(value=71.50, source=code),
        'scratch-b': dict(value=73.42, source=code),
    },
    resnet50_magnitude_30={
        'fine-tune': dict(value=76.06, source=code),
        'scratch-e': dict(value=74.77, source=code),
        'scratch-b': dict(value=75.60, source=code),
    },
    resnet50_magnitude_60={
        'fine-tune': dict(value=76.09, source=code),
        'scratch-e': dict(value=73.69, source=code),
        'scratch-b': dict(value=74.90, source=code),
    },
)
