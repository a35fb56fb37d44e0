"""What the CIFAR studies of arXiv 1810.05270 share.

Five runs of everything; fine-tuning 40 epochs at a constant 0.001; Scratch-B without a cap.
"""

study = dict(
    seeds=[0, 1, 2, 3, 4],
    classification=dict(
        arm_settings=dict(
            fine_tune_epochs=40,
            fine_tune_lr=0.001,
            scratch_b_cap=None,
            rounding='floor',
            flops='all-layers',
        ),
    ),
)
