"""The backbone `inception-2015-12-05`: the Inception network that FID and KID are defined by."""

import io
from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from evaluation.backbones.blueprint import Blueprint
from evaluation.errors import InvalidTensor

TAPS = ("pool3",)
ARITHMETIC = (
    "torch-fidelity FeatureExtractorInceptionV3 in fp32: 8-bit sRGB, bilinear to 299 x 299 as TensorFlow 1, "
    "minus 128 over 128, global average of the last block"
)
_ROUNDING = 1e-3  # k / 255 * 255 in fp32 is off by 3e-5 at most; the next level is 1 away


class InceptionPool3(FeatureExtractorInceptionV3):
    """torch-fidelity's network, taking floats and returning a dict; it never downloads or unpickles anything."""

    def __init__(self) -> None:
        """Build the layers without weights."""
        nothing = io.BytesIO()
        torch.save({}, nothing)
        nothing.seek(0)
        # the library would load any pickle, or download its own: it gets an empty one
        super().__init__("inception", ["2048"], feature_extractor_weights_path=nothing)

    def load_state_dict(
        self, state_dict: Mapping[str, Tensor], strict: bool = True, assign: bool = False
    ) -> object:
        """Load weights as any module does; the empty state of the constructor changes nothing."""
        return super().load_state_dict(state_dict, strict=strict and bool(state_dict), assign=assign)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return the features of (N, 3, H, W) in [0, 1], multiples of 1/255: ``pool3`` -> (N, 2048).

        Raises:
            InvalidTensor: values between the levels of an 8-bit image; the network is defined on bytes.
        """
        levels = images * 255
        pixels = levels.round()
        if not bool(((levels - pixels).abs() < _ROUNDING).all()):
            raise InvalidTensor(
                "inception-2015-12-05: expected multiples of 1/255, found values between two 8-bit levels.",
                fix="Round to uint8 first, then divide by 255.",
            )
        (features,) = super().forward(pixels.to(torch.uint8))
        return {"pool3": features}


def blueprint(name: str) -> Blueprint:
    """Describe the FID network; it resizes any image to 299 x 299 itself.

    Source: Heusel et al. 2017, whose TensorFlow graph of 2015-12-05 torch-fidelity reproduces.
    """
    return Blueprint(
        definition=repr((name, ARITHMETIC, TAPS)).encode(), build=_build, taps=TAPS, content_tap=TAPS[0]
    )


def _build() -> nn.Module:
    with torch.device("meta"):
        return cast(nn.Module, InceptionPool3())
