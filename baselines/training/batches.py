"""Random crops of content and style images, each decided by the seed and its number alone."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms.functional import resized_crop

from baselines.training.method import Batch
from baselines.training.pictures import Pictures
from baselines.training.recipe import Recipe

SMALLEST_SHARE = 0.5  # of the shorter side of a picture, that a crop takes at least


class Crops(Dataset[tuple[Tensor, Tensor]]):
    """A content and a style crop for every number: uint8 (3, size, size) each."""

    def __init__(self, contents: Pictures, styles: Pictures, recipe: Recipe, numbers: range) -> None:
        """Choose the numbers; a run that is resumed asks for the remaining ones."""
        self.contents, self.styles, self.recipe, self.numbers = contents, styles, recipe, numbers

    def __len__(self) -> int:
        """Return how many crops of each kind there are."""
        return len(self.numbers)

    def __getitem__(self, place: int) -> tuple[Tensor, Tensor]:
        """Draw the two crops."""
        generator = np.random.default_rng((self.recipe.seed, self.numbers[place]))
        size = self.recipe.size
        return crop(self.contents, size, generator), crop(self.styles, size, generator)


def crop(pictures: Pictures, size: int, generator: np.random.Generator) -> Tensor:
    """Draw a square of 50 to 100 % of a picture's shorter side, resized by an antialiased filter, often mirrored."""
    picture = pictures.images[int(generator.integers(len(pictures.images)))]
    height, width = picture.shape[1:]
    side = max(1, round(generator.uniform(SMALLEST_SHARE, 1.0) * min(height, width)))
    top, left = int(generator.integers(height - side + 1)), int(generator.integers(width - side + 1))
    square: Tensor = resized_crop(picture, top, left, side, side, [size, size], antialias=True)
    return square.flip(2) if generator.random() < 0.5 else square


def batches(
    contents: Pictures, styles: Pictures, recipe: Recipe, *, first: int, device: str, workers: int
) -> Iterator[Batch]:
    """Yield the batches of the steps from `first` to the recipe's last, on the device."""
    numbers = range(first * recipe.batch, recipe.steps * recipe.batch)
    loader = DataLoader(
        Crops(contents, styles, recipe, numbers),
        batch_size=recipe.batch,
        num_workers=workers,
        pin_memory=device == "cuda",
    )
    for step, pair in enumerate(loader, start=first):
        content, style = (
            crops.to(device, torch.float32, memory_format=torch.channels_last) / 255 for crops in pair
        )
        yield Batch(content, style, step, step / recipe.steps)


def sample_pairs(contents: Pictures, styles: Pictures, recipe: Recipe, count: int) -> tuple[Tensor, Tensor]:
    """Return `count` fixed content and style crops, float32 (count, 3, size, size) in [0, 1], for the eye."""
    drawn = Crops(contents, styles, recipe, range(10**9, 10**9 + count))
    first, second = zip(*(drawn[k] for k in range(count)), strict=True)
    return torch.stack(first).float() / 255, torch.stack(second).float() / 255
