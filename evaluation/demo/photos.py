"""The content images of the demo dataset: crops of free photographs that come inside scikit-image's wheel."""

import hashlib
from dataclasses import dataclass
from importlib import metadata
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from evaluation.errors import EvaluationError
from evaluation.images import resize_square


class MissingPhoto(EvaluationError):
    """A photograph of the demo dataset is not installed, or it is not the one whose license was checked."""

    code = "MISSING_PHOTO"


@dataclass(frozen=True)
class Photo:
    """One square crop of one photograph: (left, top, side) in pixels of the file with digest `sha256`."""

    name: str
    split: str
    content_kind: str
    file: str
    sha256: str
    crop: tuple[int, int, int]
    title: str
    author: str
    license: str


_ASTRONAUT = "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"
_CHELSEA = "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb"
_ROCKET = "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c"
_NASA = "Public domain (NASA)"
_UNRESTRICTED = "No known copyright restrictions"

PHOTOS: tuple[Photo, ...] = (
    Photo(
        name="portrait",
        split="hidden",
        content_kind="portrait",
        file="astronaut.png",
        sha256=_ASTRONAUT,
        crop=(64, 0, 320),
        title="Portrait of the astronaut Eileen Collins",
        author="NASA",
        license=_NASA,
    ),
    Photo(
        name="cup",
        split="hidden",
        content_kind="still life",
        file="coffee.png",
        sha256="cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        crop=(60, 0, 400),
        title="Cup of espresso",
        author="Rachel Michetti, courtesy of Pikolo Espresso Bar",
        license="CC0-1.0",
    ),
    Photo(
        name="rocket",
        split="hidden",
        content_kind="landscape",
        file="rocket.jpg",
        sha256=_ROCKET,
        crop=(213, 0, 427),
        title="Falcon 9 with DSCOVR before launch",
        author="SpaceX",
        license="Public domain (SpaceX)",
    ),
    Photo(
        name="cat",
        split="hidden",
        content_kind="animal",
        file="chelsea.png",
        sha256=_CHELSEA,
        crop=(0, 40, 225),
        title="Chelsea the cat, left half of the face",
        author="Stefan van der Walt",
        license="CC0-1.0",
    ),
    Photo(
        name="tissue",
        split="hidden",
        content_kind="microscopy",
        file="ihc.png",
        sha256="f8dd1aa387ddd1f49d8ad13b50921b237df8e9b262606d258770687b0ef93cef",
        crop=(0, 0, 512),
        title="Colonic glands under the microscope",
        author="Center for Microscopy and Molecular Imaging",
        license=_UNRESTRICTED,
    ),
    Photo(
        name="retina",
        split="hidden",
        content_kind="anatomy",
        file="retina.jpg",
        sha256="38a07f36f27f095e818aea7b96d34202c05176d30253c66733f2e00379e9e0e6",
        crop=(60, 380, 660),
        title="Fundus of a left eye",
        author="Mikael Häggström",
        license="CC0-1.0",
    ),
    Photo(
        name="nose",
        split="public",
        content_kind="animal",
        file="chelsea.png",
        sha256=_CHELSEA,
        crop=(226, 40, 225),
        title="Chelsea the cat, right half of the face",
        author="Stefan van der Walt",
        license="CC0-1.0",
    ),
    Photo(
        name="helmet",
        split="public",
        content_kind="still life",
        file="astronaut.png",
        sha256=_ASTRONAUT,
        crop=(280, 320, 192),
        title="Helmet of the astronaut Eileen Collins",
        author="NASA",
        license=_NASA,
    ),
    Photo(
        name="tower",
        split="public",
        content_kind="landscape",
        file="rocket.jpg",
        sha256=_ROCKET,
        crop=(0, 214, 213),
        title="Tower beside the Falcon 9 with DSCOVR",
        author="SpaceX",
        license="Public domain (SpaceX)",
    ),
    Photo(
        name="galaxies",
        split="public",
        content_kind="space",
        file="hubble_deep_field.jpg",
        sha256="3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4",
        crop=(30, 60, 300),
        title="Hubble eXtreme Deep Field",
        author="NASA, ESA, HubbleSite",
        license=_NASA,
    ),
)


def crop_photo(photo: Photo, size: int) -> np.ndarray:
    """Read a photograph from the installed scikit-image and resize its crop once, antialiased bicubic.

    Returns:
        uint8 array of shape (size, size, 3).

    Raises:
        MissingPhoto: scikit-image is not installed, or its file has another digest.
    """
    left, top, side = photo.crop
    with Image.open(BytesIO(_read_photo(photo))) as image:
        return resize_square(image.convert("RGB").crop((left, top, left + side, top + side)), size)


def _read_photo(photo: Photo) -> bytes:
    fix = "Install the extra: pip install 'pastiche-platform[evaluation]'."
    try:
        path = Path(str(metadata.distribution("scikit-image").locate_file(f"skimage/data/{photo.file}")))
        data = path.read_bytes()
    except (metadata.PackageNotFoundError, OSError) as error:
        raise MissingPhoto(f"The photograph {photo.file} is not installed.", fix=fix) from error
    if hashlib.sha256(data).hexdigest() != photo.sha256:
        raise MissingPhoto(f"The photograph {photo.file} is not the one whose license was checked.", fix=fix)
    return data
