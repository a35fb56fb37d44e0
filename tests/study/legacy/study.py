"""A study of a few seconds: three arms of a classifier, and its transfer into a detector."""

study = dict(
    title='A study of the version before',
    seeds=[0],
    classification=dict(
        config='classifier.py',
        pruner=dict(type='L1NormPruner', ratios=0.5),
        arms=['unpruned', 'fine-tune', 'scratch-e'],
        arm_settings=dict(fine_tune_epochs=1, fine_tune_lr=0.01),
        reference={'fine-tune': dict(value=42.0, source='nobody, in no paper')},
    ),
    detection=[dict(config='detector.py', arms=['unpruned', 'prune-c', 'prune-d', 'random'])],
)
