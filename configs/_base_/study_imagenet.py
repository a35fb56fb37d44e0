"""What the ImageNet studies of arXiv 1810.05270 share.

One run of everything; fine-tuning 20 epochs at a constant 0.001; Scratch-B at most twice as long
as Scratch-E. Slimming, weights and sparse structure selection have no such cap.
"""

study = dict(
    seeds=[0],
    classification=dict(
        arm_settings=dict(
            fine_tune_epochs=20, fine_tune_lr=0.001, scratch_b_cap=2, rounding='floor'
        ),
    ),
)
