"""What happens to a batch of small images between the data set and the network."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from rethink_det.bounds import check_count, check_number
from rethink_det.errors import UserError
from rethink_det.registry import MODELS


@MODELS.register_module()
class ImagePreprocessor(BaseDataPreprocessor):
    """Zero-pad, random crop and horizontal flip (training only), then normalise.

    Works on the whole uint8 batch at once, on the model's device. The random numbers come
    from torch's global generator, so a seeded run repeats.

    A training batch comes out in channels-last memory format. Convolutions pass that on, so
    the whole network computes in it, which on a CPU is up to a quarter faster.

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
        check_count('ImagePreprocessor: pad', pad, least=0)
        for name, values in (('mean', mean), ('std', std)):
            if not isinstance(values, (list, tuple)):
                raise UserError(f'ImagePreprocessor: {name} is a list, got {values!r}.')
            for value in values:
                check_number(f'ImagePreprocessor: {name}', value)
        if not 0 <= flip <= 1 or len(mean) != len(std) or min(std, default=0) <= 0:
            raise UserError(
                f'ImagePreprocessor needs flip in [0, 1] and one positive std for each '
                f'mean; got flip={flip}, mean={list(mean)}, std={list(std)}.'
            )
        self.pad, self.flip = pad, flip
        self.register_buffer('mean', torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std).view(-1, 1, 1), persistent=False)

    def forward(self, data: dict, training: bool = False) -> dict:
        """``inputs`` uint8 ``(N, C, H, W)`` to normalised float32 of the same shape."""
        data = self.cast_data(data)
        images = self._augment(data['inputs']) if training else data['inputs']
        return {**data, 'inputs': self._normalise(images)}

    def _augment(self, images: Tensor) -> Tensor:
        """Crops of the padded images, some of them mirrored; uint8, channels last."""
        count, channels, height, width = images.shape
        top, left = self._offsets(count, images.device)
        flipped = torch.rand(count, 1, device=images.device) < self.flip
        sources = self._sources(images)
        # The window of a mirrored crop starts as far from the other edge.
        left = torch.where(flipped, 2 * self.pad - left, left)
        rows = top + torch.arange(height, device=images.device)
        number = torch.arange(count, device=images.device)[:, None] + count * flipped
        starts = number * sources[0, 0].numel() + rows * sources[0, 0, 0].numel() + left * channels
        # Every stretch of memory that is as long as a row of a crop, by where it starts.
        length = width * channels
        stretches = sources.as_strided((sources.numel() - length + 1, length), (1, 1))
        crops = stretches.index_select(0, starts.flatten())
        return crops.view(count, height, width, channels).permute(0, 3, 1, 2)

    def _offsets(self, count: int, device: torch.device) -> Tensor:
        """First row and first column of every window: int64 ``(2, N, 1)``."""
        if not self.pad:
            return torch.zeros(2, count, 1, dtype=torch.int64, device=device)
        return torch.randint(0, 2 * self.pad + 1, (2, count, 1), device=device)

    def _sources(self, images: Tensor) -> Tensor:
        """The padded images and their mirror images: uint8 ``(2, N, H', W', C)``."""
        count, channels, height, width = images.shape
        images = images.contiguous(memory_format=torch.channels_last)
        padded = (2, count, height + 2 * self.pad, width + 2 * self.pad, channels)
        sources = images.new_zeros(padded)
        inner = sources[:, :, self.pad : self.pad + height, self.pad : self.pad + width]
        inner[0] = images.permute(0, 2, 3, 1)
        inner[1] = images.flip(3).permute(0, 2, 3, 1)
        return sources

    def _normalise(self, images: Tensor) -> Tensor:
        pixels = images.permute(0, 2, 3, 1)
        if not pixels.is_contiguous():
            return images.to(torch.float32, copy=True).sub_(self.mean).div_(self.std)
        # Whole rows at once: an operation over three channels at a time is six times slower.
        mean, std = (values.flatten().repeat(images.shape[3]) for values in (self.mean, self.std))
        rows = pixels.flatten(2).to(torch.float32, copy=True)
        return rows.sub_(mean).div_(std).view_as(pixels).permute(0, 3, 1, 2)
