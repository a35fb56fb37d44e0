"""A curve: three shares to remove, three budgets from scratch, one control, three seeds.

Question: from which training compute on is a network drawn anew as good as the fine-tuned one?
Run: rethink-det study curve --work-dir work_dirs/curve --workers 2
Hardware: 2 CPU cores; docs/curves.md has the result.
"""

study = dict(
    title='ResNet-18 (width 8) on shapes: three ratios, three budgets',
    description='The control is random pruning to equal widths; scratch arms are trained once.',
    seeds=[0, 1, 2],
    classification=dict(
        config='../classification/resnet18-w8_shapes.py',
        pruner=dict(type='L1NormPruner'),
        ratios=[0.3, 0.5, 0.7],
        budgets=[0.5, 1, 2],
        controls=True,
        arms=['unpruned', 'fine-tune'],
        arm_settings=dict(fine_tune_epochs=1, fine_tune_lr=0.001),
        epochs=4,
    ),
)
