"""A narrow ResNet-20 pruned at two ratios, on all of CIFAR-10, in about an hour on a laptop.

Question: at a small budget on real images, were the weights that pruning left worth anything,
and does the answer depend on how much was pruned?
Data: data/cifar10/{train,test}/<class>/<n>.jpg, 50,000 + 10,000 images.
Run: rethink-det study cifar10_small --work-dir work_dirs/cifar10_small --workers 2
The paper's budget: --cfg-options study.classification.epochs=160
    study.classification.arm_settings.fine_tune_epochs=40
Hardware: 2 CPU cores, about an hour (78 minutes on a busy machine).
"""

study = dict(
    title='ResNet-20 of half width on CIFAR-10, L1-norm pruning at two ratios',
    description='All 50,000 training images, 4 epochs instead of 160, 1 of fine-tuning.',
    seeds=[0, 1, 2],
    classification=dict(
        config='../classification/resnet20-w8_cifar10.py',
        pruners={
            'l1norm-30': dict(type='L1NormPruner', ratios=0.3),
            'l1norm-60': dict(type='L1NormPruner', ratios=0.6),
        },
        arms=['unpruned', 'fine-tune', 'scratch-e', 'scratch-b'],
        arm_settings=dict(fine_tune_epochs=1, fine_tune_lr=0.001, scratch_b_cap=None),
        epochs=4,
    ),
)
