"""The pictures that generators learn from: folders of one's own, or those that need no download at all."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from evaluation.demo.families import FAMILIES, paint_style
from evaluation.demo.photos import PHOTOS, crop_photo
from evaluation.errors import EvaluationError, InvalidImage

GENERATED = "generated"  # stands for the pictures that need no download
FEWEST = {"content": 4, "style": 2}
VARIANTS = 8  # pictures of each painted family

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_SHARE = 2  # a picture is kept with a shorter side of at most twice the side of a crop
_SEED = 7_000_000  # of the painted styles: far from the small numbers that people give to the demo dataset
# Photographs of scikit-image that no hidden pair of the demo dataset shows.
_GRAY_PHOTOS = ("brick", "camera", "clock_motion", "coins", "grass", "gravel", "moon")

Named = tuple[str, Image.Image]


class MissingFolder(EvaluationError):
    """There is no such folder of pictures."""

    code = "MISSING_FOLDER"


class TooFewImages(EvaluationError):
    """A folder holds too few pictures to learn from."""

    code = "TOO_FEW_IMAGES"


class UnknownCulture(EvaluationError):
    """No style image carries the culture that was asked for."""

    code = "UNKNOWN_CULTURE"


@dataclass(frozen=True)
class Pictures:
    """One kind of pictures, uint8 (3, H, W) each, of any size; `digest` covers names and pixels of all."""

    images: tuple[Tensor, ...]
    digest: str


def read_contents(sources: Sequence[str], size: int) -> Pictures:
    """Read photographs for crops of `size` pixels.

    Args:
        sources: folders, read with their subfolders; "generated" stands for photographs inside scikit-image.
        size: side of the crops.

    Raises:
        MissingFolder, TooFewImages, InvalidImage: say which folder or file, and what to do.
    """
    return _gather(_each(sources, lambda: _photographs(size), lambda path: True), "content", sources, size)


def read_styles(sources: Sequence[str], size: int, cultures: Sequence[str] = ()) -> Pictures:
    """Read style images for crops of `size` pixels.

    Args:
        sources: folders; "generated" stands for the project's own painters, those of public pairs.
        size: side of the crops.
        cultures: keep only style images of these: names of subfolders, or cultures of the painters.

    Raises:
        MissingFolder, TooFewImages, InvalidImage, UnknownCulture: say which, and what to do.
    """
    wanted = {culture.lower() for culture in cultures}
    known = sorted({culture for source in sources for culture in _cultures(source)})
    unknown = wanted - {culture.lower() for culture in known}
    if unknown:
        listed = ", ".join(known) or "none"
        raise UnknownCulture(
            f"There are no style images of {', '.join(sorted(unknown))}.", fix=f"Known cultures: {listed}."
        )

    def keep(path: Path) -> bool:
        return not wanted or path.parent.name.lower() in wanted

    return _gather(_each(sources, lambda: _paintings(size, wanted), keep), "style", sources, size)


def _each(
    sources: Sequence[str], generate: Callable[[], Iterable[Named]], keep: Callable[[Path], bool]
) -> Iterable[Named]:
    for source in sources:
        yield from generate() if source == GENERATED else _folder(Path(source), keep)


def _gather(found: Iterable[Named], kind: str, sources: Sequence[str], size: int) -> Pictures:
    digest = hashlib.sha256()
    images = []
    for name, image in found:
        pixels = _shrink(image, _SHARE * size)
        digest.update(f"{name} {pixels.shape}".encode() + pixels.tobytes())
        images.append(torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))))
    if len(images) < FEWEST[kind]:
        raise TooFewImages(
            f"{', '.join(sources)}: {len(images)} {kind} image(s), expected at least {FEWEST[kind]}.",
            fix=f"Add pictures ({', '.join(_SUFFIXES)}), or add --{kind} {GENERATED}.",
        )
    return Pictures(tuple(images), digest.hexdigest())


def read_picture(path: Path, size: int) -> np.ndarray:
    """Read one picture, uint8 (H, W, 3), shrunk until its shorter side has at most `size` pixels.

    Raises:
        InvalidImage: it cannot be read.
    """
    return _shrink(_open(path), size)


def _folder(folder: Path, keep: Callable[[Path], bool]) -> Iterable[Named]:
    if not folder.is_dir():
        raise MissingFolder(
            f"There is no folder {folder}.", fix=f"Give another one, or the word {GENERATED}."
        )
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _SUFFIXES and keep(path):
            yield path.relative_to(folder).as_posix(), _open(path)


def _open(path: Path) -> Image.Image:
    try:
        with Image.open(path) as image:
            return ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError) as error:
        raise InvalidImage(f"{path} cannot be read: {error}.", fix="Repair or remove it.") from error


def _shrink(image: Image.Image, side: int) -> np.ndarray:
    """Return uint8 (H, W, 3), shrunk until the shorter side has `side` pixels; nothing is enlarged."""
    share = side / min(image.size)
    if share < 1:
        width, height = (max(side, round(share * length)) for length in image.size)
        image = image.resize((width, height), Image.Resampling.BICUBIC)
    return np.array(image)


def _photographs(size: int) -> Iterable[Named]:
    for photo in PHOTOS:
        if photo.split == "public":
            yield photo.name, Image.fromarray(crop_photo(photo, _SHARE * size))
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        return
    for name in _GRAY_PHOTOS:
        yield name, _open(Path(spec.origin).parent / "data" / f"{name}.png")


def _paintings(size: int, wanted: set[str]) -> Iterable[Named]:
    for family in FAMILIES:
        if family.split == "public" and (not wanted or family.culture.lower() in wanted):
            for variant in range(VARIANTS):
                pixels = paint_style(family, _SEED + variant, _SHARE * size)
                yield f"{family.name}-{variant}", Image.fromarray(pixels)


def _cultures(source: str) -> set[str]:
    if source == GENERATED:
        return {family.culture for family in FAMILIES if family.split == "public"}
    folder = Path(source)
    return {path.name for path in folder.rglob("*") if path.is_dir()} if folder.is_dir() else set()
