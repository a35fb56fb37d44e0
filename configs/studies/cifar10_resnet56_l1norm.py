"""A real ResNet-56 pruned as resnet56-a, on real CIFAR-10 images, with a CPU's budget.

Source: arXiv 1810.05270, L1-norm filter pruning on CIFAR-10 (there: 160 epochs, fine-tuning
40, all 50,000 images; its numbers are beside those of paper/cifar10_resnet56_l1norm-a).
Data: data/cifar10/{train,test}/<class>/<n>.jpg; trained on the first 500 images of each
class, evaluated on all 10,000 test images.
Parent: data/resnet56.pth, a trained CIFAR-10 ResNet-56 with subsampling shortcuts and
ImageNet normalisation; without one, study.classification.parent=None trains it.
Run: rethink-det study cifar10_resnet56_l1norm --work-dir work_dirs/cifar10_resnet56
The paper's budget: --cfg-options study.classification.epochs=80
    study.classification.arm_settings.fine_tune_epochs=60
    study.classification.options.train_dataloader.dataset.limit=None
Hardware: 2 CPU cores, about 10 minutes.
"""

study = dict(
    title='ResNet-56 on CIFAR-10, L1-norm A, a subset and few epochs',
    description='5,000 training images, 24 epochs instead of 160, 6 of fine-tuning instead of 40.',
    seeds=[0],
    classification=dict(
        config='../classification/resnet56_cifar10.py',
        parent='data/resnet56.pth',
        pruner=dict(type='L1NormPruner', target='resnet56-a'),
        arms=['unpruned', 'fine-tune', 'scratch-e'],
        arm_settings=dict(fine_tune_epochs=6, fine_tune_lr=0.001),
        epochs=24,
        options={
            'model.backbone.shortcut': 'subsample',
            'model.data_preprocessor.mean': [123.675, 116.28, 103.53],
            'model.data_preprocessor.std': [58.395, 57.12, 57.375],
            'train_dataloader.dataset.limit': 5000,
        },
    ),
)
