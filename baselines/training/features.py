"""The fixed networks through which generators are taught, all with the same five taps on the same scale."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from baselines.baseline import BACKBONES
from evaluation.backbones import tiny_vgg
from evaluation.backbones.registry import load_backbone
from evaluation.errors import EvaluationError
from evaluation.training.tiny_vgg.teacher import Distilled

NAMES = ("tiny-vgg-1", "vgg19")
SMALLEST_SIDE = 32  # pixels

_VGG19 = "vgg19-imagenet1k-v1"
_RENAMED = {"relu1_1": "r11", "relu2_1": "r21", "relu3_1": "r31", "relu4_1": "r41", "relu5_1": "r51"}


class InvalidTeacher(EvaluationError):
    """The file does not hold the weights of the distilled VGG-19."""

    code = "INVALID_TEACHER"


@dataclass(frozen=True)
class Features:
    """Maps (N, 3, H, W) in [0, 1], sides from 32 pixels, to taps r11 (full size) to r51 (a sixteenth).

    Taps are nonnegative (N, C, H', W'), scaled so that the entries of Gram matrices of the pictures it was fitted to
    have a root mean square of 1: losses on them weigh all taps alike, whatever the network. It is no module, so that a
    method that holds it does not save it.
    """

    name: str
    digest: str
    network: Callable[[Tensor], dict[str, Tensor]]
    scale: dict[str, float]

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Return the scaled taps in single precision; differentiable with respect to `images`."""
        return {tap: self.scale[tap] * maps.float() for tap, maps in self.network(images).items()}


def load_first_layers(encoder: nn.Module) -> None:
    """Give an encoder that begins as `tiny-vgg-1` does, layer by layer and by the same names, its weights."""
    state = load_file(BACKBONES / tiny_vgg.WEIGHTS_FILE)
    encoder.load_state_dict({name: state[name] for name in encoder.state_dict()})


def load_features(name: str, device: str, *, teacher: Path | None = None) -> Features:
    """Load the features that a training uses, unscaled.

    Args:
        name: "tiny-vgg-1", which the project ships, or "vgg19" with torchvision's weight file.
        device: "cpu" or "cuda".
        teacher: file of VGG-19 compressed 16 times with heads that estimate VGG-19's own five taps (Wang et al.
            2020); if given, it takes the place of `name`.

    Raises:
        InvalidTeacher: the file holds something else.
        WeightsMissing: torchvision's file is not at hand.
    """
    if teacher is not None:
        return _distilled(teacher, device)
    backbone = load_backbone(_VGG19 if name == "vgg19" else name, device)

    def taps(images: Tensor) -> dict[str, Tensor]:
        found: dict[str, Tensor] = backbone.network(images)
        named = {_RENAMED.get(tap, tap): maps for tap, maps in found.items()}
        return {tap: named[tap] for tap in tiny_vgg.TAPS}

    return Features(name, backbone.digest, taps, dict.fromkeys(tiny_vgg.TAPS, 1.0))


def fit_scale(features: Features, images: Tensor) -> Features:
    """Scale the taps to a root mean square of 1 in the entries of Gram matrices of `images` (N, 3, H, W)."""
    scale = {}
    with torch.no_grad():
        for tap, maps in features.network(images).items():
            flat = maps.flatten(2)  # (N, C, M)
            gram = flat @ flat.transpose(1, 2) / flat.shape[2]  # (N, C, C)
            scale[tap] = gram.square().mean().item() ** -0.25  # a Gram matrix is of second order
    return Features(features.name, features.digest, features.network, scale)


def _distilled(path: Path, device: str) -> Features:
    network = Distilled()
    try:
        network.load_state_dict(torch.load(path, weights_only=True))
    except (OSError, RuntimeError, ValueError) as error:
        raise InvalidTeacher(
            f"{path} cannot be loaded: {str(error).splitlines()[0]}",
            fix="Leave out --teacher to learn from tiny-vgg-1.",
        ) from error
    frozen: nn.Module = network.eval().requires_grad_(False).to(device)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()

    def taps(images: Tensor) -> dict[str, Tensor]:
        assert isinstance(frozen, Distilled)
        return frozen.estimate(images, "r11")

    return Features("distilled VGG-19", digest, taps, dict.fromkeys(tiny_vgg.TAPS, 1.0))
