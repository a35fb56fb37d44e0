"""What the ImageNet studies of arXiv 1810.05270 share.

Fine-tuning takes 20 epochs at a constant 0.001; Scratch-B at most twice as long as Scratch-E.
Slimming, weights and sparse structure selection have no such cap. The paper ran everything once.
Three seeds are ours, and so are controls of equal widths where a pruner finds widths. For less:
--seeds 0, and --cfg-options study.classification.controls=False.
"""

study = dict(
    seeds=[0, 1, 2],
    classification=dict(
        arm_settings=dict(
            fine_tune_epochs=20,
            fine_tune_lr=0.001,
            scratch_b_cap=2,
            rounding='floor',
            flops='all-layers',
        ),
    ),
)
