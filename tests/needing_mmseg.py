"""Shipped configs that need mmsegmentation, which not every installation has."""

import pytest


def check_mmseg(name: str) -> None:
    """Skip the test where a config of that name cannot be read."""
    if 'segmentation' in name and '_base_' not in name:
        pytest.importorskip('mmseg', reason='needs onedl-mmsegmentation, the extra mmseg')
