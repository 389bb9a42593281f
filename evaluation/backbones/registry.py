"""The backbones that a suite can name, each checked against its pinned digest when it is loaded."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from evaluation.backbones import oriented_pyramid
from evaluation.errors import InvalidSuite


@dataclass(frozen=True)
class Backbone:
    """A loaded feature network: float RGB (N, 3, H, W) in [0, 1] to a dict of taps (N, C, H', W').

    Style metrics and the perceptual distance read `taps`, in this order; the content loss reads `content_tap`.
    """

    name: str
    digest: str
    taps: tuple[str, ...]
    content_tap: str
    network: nn.Module
    device: str

    def extract(self, images: Tensor) -> dict[str, Tensor]:
        """Run one forward pass in fp32, without gradients."""
        with torch.inference_mode():
            taps: dict[str, Tensor] = self.network(images.to(self.device))
            return taps


@dataclass(frozen=True)
class _Entry:
    build: Callable[[], nn.Module]
    definition: Callable[[], bytes]
    pinned: str
    taps: tuple[str, ...]
    content_tap: str


_BACKBONES = {
    "oriented-pyramid-1": _Entry(
        build=oriented_pyramid.OrientedPyramid,
        definition=oriented_pyramid.definition,
        pinned="d0e6cda1bda9d8d37e3ffadcef9d18c5a10071d883e12e0881dadd66679ea321",
        taps=oriented_pyramid.TAPS,
        content_tap="r41",
    ),
}


def backbone_names() -> list[str]:
    """List the names that `load_backbone` knows."""
    return sorted(_BACKBONES)


def load_backbone(name: str, device: str = "cpu") -> Backbone:
    """Load a backbone and check that it is the one that was pinned.

    Raises:
        InvalidSuite: unknown name, or its definition no longer has the pinned sha256.
    """
    entry = _BACKBONES.get(name)
    if entry is None:
        known = ", ".join(backbone_names())
        raise InvalidSuite(f"There is no backbone {name!r}.", fix=f"Known backbones: {known}.")
    digest = hashlib.sha256(entry.definition()).hexdigest()
    if digest != entry.pinned:
        raise InvalidSuite(
            f"Backbone {name} was changed: its digest is {digest[:12]}, pinned is {entry.pinned[:12]}.",
            fix="A changed backbone needs a new name, so that old and new scores are never compared.",
        )
    # TF32 has a mantissa of 10 bits: scores would depend on the kind of GPU
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    network = entry.build().eval().requires_grad_(False).to(device)
    return Backbone(name, digest, entry.taps, entry.content_tap, network, device)
