"""Another backbone in any model's config: what detectors and segmenters share of it."""

from rethink_det.transfer.adapted import Adapted, Change
from rethink_det.transfer.settings import TransferSettings

__all__ = ['Adapted', 'Change', 'TransferSettings']
