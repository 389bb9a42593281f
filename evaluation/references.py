"""Features of content and style images, computed once and kept on disk beside their key."""

import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from evaluation.backbones.registry import Backbone
from evaluation.errors import InvalidPairs
from evaluation.features import Features, StyleFeatures, extract_features
from evaluation.files import write_atomic
from evaluation.images import decode_rgb
from evaluation.metrics.style import StyleStatistics
from evaluation.recent import Recent

FORMAT = 1  # raise it when features are derived differently
_KEPT = 64  # content images in memory; mapped from disk they cost address space, not memory


class References:
    """The reference features of one backbone at one size, by image.

    With a cache folder, each image is one safetensors file, named by what it was made from, written
    whole or not at all, and read by memory mapping. A file that is damaged or foreign is made again.
    """

    def __init__(self, backbone: Backbone, size: int, cache_dir: Path | None = None) -> None:
        """Remember where to look; the folder is made if it is missing."""
        self._backbone = backbone
        self._size = size
        self._cache_dir = cache_dir
        self._contents: Recent[str, Features] = Recent(_KEPT)
        self._styles: dict[str, StyleFeatures] = {}
        if cache_dir is not None:
            cache_dir.mkdir(parents=True, exist_ok=True)

    def content(self, path: Path, sha256: str) -> Features:
        """Return all features of a content image."""
        return self._contents.get_or_make(sha256, lambda: self._load_content(path, sha256))

    def style(self, path: Path, sha256: str) -> StyleFeatures:
        """Return the style features of a style image."""
        if sha256 not in self._styles:
            self._styles[sha256] = self._load_style(path, sha256)
        return self._styles[sha256]

    def compute(self, path: Path, sha256: str) -> Features:
        """Return all features of any image, past the cache."""
        return extract_features(self._pixels(path, sha256), self._backbone)

    def _load_content(self, path: Path, sha256: str) -> Features:
        key = self._key("content", sha256)
        tensors = self._read(key)
        if tensors is not None:
            units = tuple(tensors[f"unit.{tap}"] for tap in self._backbone.taps)
            return Features(self._pixels(path, sha256), tensors["content_map"], units, self._unpack(tensors))
        features = self.compute(path, sha256)
        units_by_name = {
            f"unit.{tap}": unit for tap, unit in zip(self._backbone.taps, features.units, strict=True)
        }
        self._write(key, self._pack(features.style) | units_by_name | {"content_map": features.content_map})
        return features

    def _load_style(self, path: Path, sha256: str) -> StyleFeatures:
        key = self._key("style", sha256)
        tensors = self._read(key)
        if tensors is not None:
            return self._unpack(tensors)
        style = self.compute(path, sha256).style
        self._write(key, self._pack(style))
        return style

    def _pixels(self, path: Path, sha256: str) -> np.ndarray:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InvalidPairs(f"{path.name} cannot be read: {error.strerror}.") from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise InvalidPairs(f"{path.name} was changed after the pairs were read.", fix="Open them again.")
        return decode_rgb(data, path.name, self._size)

    def _pack(self, style: StyleFeatures) -> dict[str, Tensor]:
        tensors = {"histogram": torch.from_numpy(style.histogram)}
        for tap, layer in zip(self._backbone.taps, style.statistics, strict=True):
            tensors |= {f"gram.{tap}": layer.gram, f"mean.{tap}": layer.mean, f"std.{tap}": layer.std}
        return tensors

    def _unpack(self, tensors: dict[str, Tensor]) -> StyleFeatures:
        statistics = tuple(
            StyleStatistics(tensors[f"gram.{tap}"], tensors[f"mean.{tap}"], tensors[f"std.{tap}"])
            for tap in self._backbone.taps
        )
        return StyleFeatures(statistics, tensors["histogram"].cpu().numpy())

    def _key(self, kind: str, sha256: str) -> str:
        parts = {
            "format": FORMAT,
            "kind": kind,
            "image": sha256,
            "size": self._size,
            "backbone": self._backbone.digest,
            "taps": self._backbone.taps,
            "content_tap": self._backbone.content_tap,
            "dtype": "float32",
        }
        return json.dumps(parts, sort_keys=True)

    def _file(self, key: str) -> Path | None:
        if self._cache_dir is None:
            return None
        return self._cache_dir / f"{hashlib.sha256(key.encode()).hexdigest()}.safetensors"

    def _write(self, key: str, tensors: dict[str, Tensor]) -> None:
        file = self._file(key)
        if file is None:
            return
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
        if origin != f"{key} {_payload_digest(tensors)}":
            return None
        return {name: tensor.to(self._backbone.device) for name, tensor in tensors.items()}


def _payload_digest(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].numpy().data)
    return digest.hexdigest()
