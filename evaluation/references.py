"""Features of content and style images, computed once and kept on disk beside their key."""

import hashlib
import json
from enum import StrEnum
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from evaluation.errors import InvalidPairs
from evaluation.features import Extractor, Features
from evaluation.files import write_atomic
from evaluation.images import decode_rgb
from evaluation.jitters import IDENTITY, apply_jitter
from evaluation.recent import Recent

FORMAT = 2  # raise it when features are derived differently
_KEPT = 64  # images in memory; mapped from disk they cost address space, not memory


class Role(StrEnum):
    """What an image is to a pair; it decides what has to be known of it."""

    CONTENT = "content"
    STYLE = "style"


class References:
    """The reference features of one suite at one size, by image, role and jitter.

    With a cache folder, each image is one safetensors file, named by what it was made from, written
    whole or not at all, and read by memory mapping. A file that is damaged or foreign is made again.
    """

    def __init__(
        self, extractors: dict[tuple[Role, str], Extractor], size: int, cache_dir: Path | None = None
    ) -> None:
        """Remember where to look; the folder is made if it is missing.

        `extractors` has one entry for each role and jitter; it says which ingredients are kept.
        """
        self._extractors = extractors
        self._size = size
        self._cache_dir = cache_dir
        self._recent: Recent[tuple[Role, str, str], Features] = Recent(_KEPT * len(extractors))
        if cache_dir is not None:
            cache_dir.mkdir(parents=True, exist_ok=True)

    def content(self, path: Path, sha256: str, jitter: str = IDENTITY) -> Features:
        """Return the features of a content image."""
        return self._get(Role.CONTENT, path, sha256, jitter)

    def style(self, path: Path, sha256: str, jitter: str = IDENTITY) -> Features:
        """Return the features of a style image."""
        return self._get(Role.STYLE, path, sha256, jitter)

    def pixels(self, path: Path, sha256: str) -> np.ndarray:
        """Read an image of the dataset and check that it is still the one that was paired.

        Raises:
            InvalidPairs: it cannot be read, or was changed.
            InvalidImage: it is not an 8-bit RGB PNG of the right size.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InvalidPairs(f"{path.name} cannot be read: {error.strerror}.") from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise InvalidPairs(f"{path.name} was changed after the pairs were read.", fix="Open them again.")
        return decode_rgb(data, path.name, self._size)

    def _get(self, role: Role, path: Path, sha256: str, jitter: str) -> Features:
        return self._recent.get_or_make(
            (role, sha256, jitter), lambda: self._load(role, path, sha256, jitter)
        )

    def _load(self, role: Role, path: Path, sha256: str, jitter: str) -> Features:
        extractor = self._extractors[role, jitter]
        pixels = apply_jitter(jitter, self.pixels(path, sha256))
        key = self._key(extractor, sha256, jitter)
        stored = self._read(key)
        if stored is not None:
            return Features(pixels, {name: tensor.to(extractor.device) for name, tensor in stored.items()})
        features = extractor.extract([pixels])[0]
        self._write(key, features.tensors)
        return features

    def _key(self, extractor: Extractor, sha256: str, jitter: str) -> str:
        networks = {name: network.digest for name, network in sorted(extractor.networks.items())}
        parts = {
            "format": FORMAT,
            "image": sha256,
            "size": self._size,
            "jitter": jitter,
            "ingredients": extractor.ingredients,
            "networks": networks,
            "dtype": "float32",
        }
        return json.dumps(parts, sort_keys=True)

    def _file(self, key: str) -> Path | None:
        if self._cache_dir is None:
            return None
        return self._cache_dir / f"{hashlib.sha256(key.encode()).hexdigest()}.safetensors"

    def _write(self, key: str, tensors: dict[str, Tensor]) -> None:
        file = self._file(key)
        if file is not None:
            stored = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
            write_atomic(file, save(stored, {"origin": f"{key} {_payload_digest(stored)}"}))

    def _read(self, key: str) -> dict[str, Tensor] | None:
        file = self._file(key)
        if file is None or not file.exists():
            return None
        try:
            with safe_open(file, framework="pt", device="cpu") as stored:
                origin = (stored.metadata() or {}).get("origin")
                tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        except (SafetensorError, OSError):
            return None
        return tensors if origin == f"{key} {_payload_digest(tensors)}" else None


def _payload_digest(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].numpy().data)
    return digest.hexdigest()
