"""The pictures that discriminators learn from: read once, split by digest, cropped by number of the step."""

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from evaluation.errors import EvaluationError, InvalidImage
from evaluation.images import resize_square

FEWEST = 5  # different pictures of a kind
_HELD_OUT = 0.2
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class Pictures:
    """One kind of pictures, uint8 (n, 3, size, size), those to learn from and those held out."""

    train: Tensor
    held_out: Tensor
    digest: str


@dataclass(frozen=True)
class Collection:
    """All that a discriminator sees: art is real; photos and outputs of generators are fake."""

    art: Pictures
    photos: Pictures
    fakes: Pictures

    @property
    def digest(self) -> str:
        """Return the sha256 over the digests of all files."""
        return hashlib.sha256((self.art.digest + self.photos.digest + self.fakes.digest).encode()).hexdigest()

    def batch(self, size: int, crop: int, *, seed: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        """Draw `size` crops of art, and as many of photos and outputs by turns: fp32 (size, 3, crop, crop).

        The draw depends on `seed` alone, so training that was stopped goes on as if it had not been.
        """
        generator = np.random.default_rng(seed)
        real = [_crop(self.art.train, crop, generator) for _ in range(size)]
        fake = [_crop((self.photos, self.fakes)[k % 2].train, crop, generator) for k in range(size)]
        return torch.stack(real).float() / 255, torch.stack(fake).float() / 255


def read_pictures(folder: Path, size: int) -> Pictures:
    """Read all pictures of a folder as squares of `size` pixels; one fifth, chosen by digest, is held out.

    Files that are equal byte for byte count once, so that no picture stands on both sides. Pictures that
    have the size already are not resampled. All stay in memory: 0.2 MB each at 256 pixels.

    Raises:
        EvaluationError: no such folder, or fewer than 5 different pictures.
        InvalidImage: a file that cannot be read.
    """
    if not folder.is_dir():
        raise EvaluationError(f"There is no folder {folder}.")
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in _SUFFIXES]
    by_digest = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in paths}
    if len(by_digest) < FEWEST:
        raise EvaluationError(
            f"{folder} holds {len(by_digest)} different pictures, expected at least {FEWEST}.",
            fix=f"Pictures are files that end in {', '.join(_SUFFIXES)}; some hundreds are a good start.",
        )
    digests = sorted(by_digest)
    planes = torch.stack([_read(by_digest[digest], size) for digest in digests])  # (n, 3, size, size)
    held_out = math.ceil(_HELD_OUT * len(digests))
    digest = hashlib.sha256("".join(digests).encode()).hexdigest()
    return Pictures(planes[held_out:], planes[:held_out], digest)


def _read(path: Path, size: int) -> Tensor:
    try:
        with Image.open(path) as image:
            square = resize_square(image, size)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise InvalidImage(f"{path} cannot be read: {error}.") from error
    return torch.from_numpy(np.ascontiguousarray(square.transpose(2, 0, 1)))


def _crop(pictures: Tensor, crop: int, generator: np.random.Generator) -> Tensor:
    picture = pictures[int(generator.integers(len(pictures)))]
    top, left = (int(start) for start in generator.integers(0, picture.shape[1] - crop + 1, 2))
    part = picture[:, top : top + crop, left : left + crop]
    return part.flip(2) if generator.random() < 0.5 else part
