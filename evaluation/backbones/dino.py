"""The backbone `dino-vits8`: keys of a self-supervised vision transformer, which show structure but not style.

Optional: it needs the package timm.
"""

from typing import cast

import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor
from torchvision.transforms.functional import normalize, resize

from evaluation.backbones.blueprint import Blueprint
from evaluation.backbones.tapped_layers import MEAN, PREPROCESSING, STD
from evaluation.errors import InvalidTensor

SIDE = 224
TAPS = ("keys",)
ARITHMETIC = (
    "DINO ViT-S/8, keys of block 11, class token first; "
    f"bilinear antialiased to {SIDE} x {SIDE}; {PREPROCESSING}"
)


class DinoKeys(VisionTransformer):
    """DINO's ViT-S/8 to the keys of its last block."""

    def __init__(self) -> None:
        """Build the layers without weights, or with timm's random start."""
        super().__init__(
            img_size=SIDE, patch_size=8, embed_dim=384, depth=12, num_heads=6, num_classes=0, global_pool=""
        )

    def forward(self, images: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
        """Return the keys of square images (N, 3, S, S) in [0, 1]: ``keys`` -> (N, T, D).

        T = 1 + 28 * 28 tokens, the class token first, then patches row by row; D = 384, all six attention
        heads side by side.

        Raises:
            InvalidTensor: images that are not square.
        """
        if images.shape[-1] != images.shape[-2]:
            raise InvalidTensor(f"dino-vits8: expected square images, found {tuple(images.shape[-2:])}.")
        resized = resize(images, [SIDE, SIDE], antialias=True)  # (N, 3, 224, 224)
        found = self.forward_intermediates(
            normalize(resized, MEAN, STD),
            indices=[len(self.blocks) - 2],
            return_prefix_tokens=True,
            stop_early=True,
            output_fmt="NLC",
            intermediates_only=True,
            output_dict=True,
        )
        maps = cast(dict[str, list[Tensor]], found)
        tokens = torch.cat(
            [*maps["image_intermediates_prefix"], *maps["image_intermediates"]], dim=1
        )  # (N, T, D)
        last = self.blocks[-1]
        qkv = last.get_submodule("attn.qkv")(last.get_submodule("norm1")(tokens))  # (N, T, 3 * D)
        _, keys, _ = qkv.chunk(3, dim=-1)
        return {"keys": keys}


def blueprint(name: str) -> Blueprint:
    """Describe DINO's ViT-S/8.

    Source: Caron et al. 2021 (DINO); the keys of block 11 as a description of structure: Tumanyan et al. 2022
    (Splice). Deviation: square images only, resized with antialiasing.
    """
    return Blueprint(
        definition=repr((name, ARITHMETIC, TAPS)).encode(), build=_build, taps=TAPS, content_tap=TAPS[0]
    )


def _build() -> DinoKeys:
    with torch.device("meta"):
        return DinoKeys()
