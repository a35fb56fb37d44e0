"""What happens to a batch of small images between the data set and the network."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from rethink_det.errors import UserError
from rethink_det.registry import MODELS


@MODELS.register_module()
class ImagePreprocessor(BaseDataPreprocessor):
    """Zero-pad, random crop and horizontal flip (training only), then normalise.

    Works on the whole uint8 batch at once, on the model's device. The random numbers come
    from torch's global generator, so a seeded run repeats.

    Args:
        mean: Channel means on the 0..255 scale, RGB.
        std: Channel standard deviations, same scale.
        pad: Pixels of zero padding before the random crop back to size; 0 for no crop.
        flip: Probability of a horizontal flip.

    Raises:
        UserError: A negative pad, a probability outside [0, 1], or not one positive
            std for each mean.
    """

    def __init__(
        self, mean: Sequence[float], std: Sequence[float], pad: int = 4, flip: float = 0.5
    ) -> None:
        super().__init__()
        if pad < 0 or not 0 <= flip <= 1 or len(mean) != len(std) or min(std) <= 0:
            raise UserError(
                f'ImagePreprocessor needs pad >= 0, flip in [0, 1] and one positive std for each '
                f'mean; got pad={pad}, flip={flip}, mean={list(mean)}, std={list(std)}.'
            )
        self.pad, self.flip = pad, flip
        self.register_buffer('mean', torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std).view(-1, 1, 1), persistent=False)

    def forward(self, data: dict, training: bool = False) -> dict:
        """``inputs`` uint8 ``(N, C, H, W)`` to normalised float32 of the same shape."""
        data = self.cast_data(data)
        images = data['inputs']
        if training:
            images = self._flip(self._crop(images))
        return {**data, 'inputs': (images.float() - self.mean) / self.std}

    def _crop(self, images: Tensor) -> Tensor:
        if not self.pad:
            return images
        count, _, height, width = images.shape
        padded = F.pad(images, [self.pad] * 4)
        top, left = torch.randint(0, 2 * self.pad + 1, (2, count, 1), device=images.device)
        rows = top + torch.arange(height, device=images.device)
        columns = left + torch.arange(width, device=images.device)
        batch = torch.arange(count, device=images.device)[:, None, None]
        # Channels last while gathering, so that one index picks a whole pixel.
        picked = padded.permute(0, 2, 3, 1)[batch, rows[:, :, None], columns[:, None, :]]
        return picked.permute(0, 3, 1, 2)

    def _flip(self, images: Tensor) -> Tensor:
        flipped = torch.rand(len(images), device=images.device) < self.flip
        return torch.where(flipped[:, None, None, None], images.flip(3), images)
