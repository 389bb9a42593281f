"""The backbones that a suite can name, each checked against its pinned digest when it is loaded."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import torch
from torch import Tensor, nn

from evaluation.backbones.blueprint import Blueprint
from evaluation.backbones.weight_files import CATALOG, WeightFile, read_weights, seeded_state, weight_file
from evaluation.errors import InvalidSuite, InvalidTensor


@dataclass(frozen=True)
class Backbone:
    """A loaded feature network: float RGB (N, 3, H, W) in [0, 1] to a dict of taps, (N, C, H', W') as a rule.

    Style metrics and the perceptual distance read `taps`, in this order; the content loss reads `content_tap`.
    `heads` are the linear heads of LPIPS, (1, C, 1, 1) for each tap.
    """

    name: str
    digest: str
    taps: tuple[str, ...]
    content_tap: str
    network: nn.Module
    device: str
    heads: tuple[Tensor, ...] = ()
    min_side: int = 1

    def extract(self, images: Tensor) -> dict[str, Tensor]:
        """Run one forward pass in fp32, without gradients.

        Args:
            images: (N, 3, H, W), float32, sRGB in [0, 1].

        Returns:
            tap name -> tensor on the device of the backbone, batch first. On the CPU pictures go through one at
            a time, so that the result never depends on the rest of the batch; on a GPU they go together.

        Raises:
            InvalidTensor: another shape, dtype or range, NaN, or images too small for the network.
        """
        self._check(images)
        with torch.inference_mode():
            parts = images.split(1) if self.device == "cpu" else (images,)
            taps: list[dict[str, Tensor]] = [self.network(part.to(self.device)) for part in parts]
            if len(taps) == 1:
                return taps[0]
            return {name: torch.cat([each[name] for each in taps]) for name in taps[0]}

    def _check(self, images: Tensor) -> None:
        if images.ndim != 4 or images.shape[1] != 3 or images.dtype != torch.float32 or images.numel() == 0:
            found = f"{images.dtype} of shape {tuple(images.shape)}"
            raise InvalidTensor(f"{self.name}: expected float32 (N, 3, H, W), found {found}.")
        if min(images.shape[2:]) < self.min_side:
            found = f"{images.shape[3]} x {images.shape[2]}"
            raise InvalidTensor(f"{self.name}: images need sides of {self.min_side} pixels, found {found}.")
        low, high = (limit.item() for limit in images.aminmax())
        if not (low >= 0 and high <= 1):  # false for NaN too
            raise InvalidTensor(f"{self.name}: expected values in [0, 1], found {low:g} to {high:g}.")


@dataclass(frozen=True)
class _Entry:
    """Which module of this package has the blueprint, and the digest that the backbone must have.

    The module is imported when the backbone is loaded: torchvision, torch-fidelity and timm take seconds each, and
    not everybody has all of them.
    """

    module: str
    pinned: str


_BACKBONES = {
    "oriented-pyramid-1": _Entry(
        "embedded", "d0e6cda1bda9d8d37e3ffadcef9d18c5a10071d883e12e0881dadd66679ea321"
    ),
    "tiny-vgg-1": _Entry("embedded", "05b1faf3cae409a12c82052371f834df7c1d8a307f4983b0e0dbf543b18d2f45"),
    "vgg19-imagenet1k-v1": _Entry(
        "vgg19", "eac54a276594cf627ee0c03f36c66791270716a1d4324451c96987cf1773d783"
    ),
    "lpips-alex-0.1": _Entry(
        "lpips_nets", "e66c6fef28d3700a9fea573facc5038761bfe3fe63ffc458174220bf9f11d0c6"
    ),
    "lpips-vgg-0.1": _Entry("lpips_nets", "37894263ed3029589eeba0cb92771c9661b96c158754fd765194e679bb39d0f7"),
    "lpips-squeeze-0.1": _Entry(
        "lpips_nets", "23b38d8268a11634731793b1937943f7bdb91f4e25b41f13f48ffd96486fc283"
    ),
    "inception-2015-12-05": _Entry(
        "inception", "4967c2de64ad4fba0f665e1a2444dd9cf7e7f6c59556cee5a7b5cc61ccb4ae4d"
    ),
    "dino-vits8": _Entry("dino", "e5b029abb560865f7600303d8a6b8e92a6214cadb31e09dcd892fdc7089054bf"),
}


def backbone_names() -> list[str]:
    """List the names that `load_backbone` knows."""
    return sorted(_BACKBONES)


def backbone_digest(name: str) -> str:
    """Return the pinned digest of a backbone, without loading anything.

    It covers the arithmetic and, where there is a weight file, the sha256 of the file; so a suite can be pinned
    where the file is not at hand.

    Raises:
        InvalidSuite: unknown name.
    """
    return _entry(name).pinned


def load_backbone(
    name: str,
    device: str = "cpu",
    weights_dir: Path | None = None,
    *,
    random_seed: int | None = None,
    catalog: Mapping[str, WeightFile] = CATALOG,
) -> Backbone:
    """Load a backbone and check that it is the one that was pinned.

    Args:
        name: one of `backbone_names`.
        device: "cpu", or a CUDA device.
        weights_dir: where weight files are looked for before torch's own folder.
        random_seed: fill the network with random weights instead of its weight file, to measure time or memory; the
            digest says so and fits no suite. Backbones without a weight file stay as they are.
        catalog: which weight files are the right ones; another than the published catalog gives another digest.

    Raises:
        InvalidSuite: unknown name, a package that is not installed, or a definition that no longer has the pinned
            sha256.
        WeightsMissing: the weight file is not on this machine.
        WeightsCorrupt: it is not the published one.
    """
    entry = _entry(name)
    blueprint = _blueprint(name, entry)
    _check_pinned(name, _digest(blueprint, CATALOG.get(name)), entry.pinned)
    file = weight_file(name, catalog) if name in CATALOG else None
    digest = _digest(blueprint, file)
    network = blueprint.build()
    if file is not None and random_seed is not None:
        digest = hashlib.sha256(f"random weights, seed {random_seed}, {name}".encode()).hexdigest()
        _fill(network, seeded_state(network, random_seed))
    elif file is not None:
        _fill(network, read_weights(file, weights_dir))
    # TF32 has a mantissa of 10 bits: scores would depend on the kind of GPU
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    network = network.eval().requires_grad_(False).to(device)
    if file is not None and device == "cpu":
        # convolutions of these networks take a tenth to a half less time in this layout
        network = network.to(memory_format=torch.channels_last)
    heads = tuple(head.to(device) for head in blueprint.heads)
    return Backbone(
        name, digest, blueprint.taps, blueprint.content_tap, network, device, heads, blueprint.min_side
    )


def _entry(name: str) -> _Entry:
    if name not in _BACKBONES:
        known = ", ".join(backbone_names())
        raise InvalidSuite(f"There is no backbone {name!r}.", fix=f"Known backbones: {known}.")
    return _BACKBONES[name]


def _blueprint(name: str, entry: _Entry) -> Blueprint:
    try:
        blueprint: Blueprint = import_module(f"evaluation.backbones.{entry.module}").blueprint(name)
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        raise InvalidSuite(
            f"Backbone {name} needs the package {package}, which is not installed.",
            fix=f"Install it: pip install {package}",
        ) from error
    return blueprint


def _digest(blueprint: Blueprint, file: WeightFile | None) -> str:
    text = blueprint.definition if file is None else blueprint.definition + b"\n" + file.sha256.encode()
    return hashlib.sha256(text).hexdigest()


def _check_pinned(name: str, digest: str, pinned: str) -> None:
    if digest != pinned:
        raise InvalidSuite(
            f"Backbone {name} was changed: its digest is {digest[:12]}, pinned is {pinned[:12]}.",
            fix="A changed backbone needs a new name, so that old and new scores are never compared.",
        )


def _fill(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Give a network on the meta device the tensors of its names; a weight file may hold further layers."""
    names = network.state_dict().keys()
    network.load_state_dict({name: state[name] for name in state if name in names}, assign=True)
