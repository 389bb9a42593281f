"""The backbone `vgg19-imagenet1k-v1`: torchvision's VGG-19, the network of the style transfer literature."""

import torch
from torchvision.models import vgg19

from evaluation.backbones.blueprint import Blueprint
from evaluation.backbones.tapped_layers import PREPROCESSING, TappedLayers

LAYERS = {1: "relu1_1", 6: "relu2_1", 11: "relu3_1", 20: "relu4_1", 22: "relu4_2", 29: "relu5_1"}
CONTENT_TAP = "relu4_2"
TAPS = tuple(tap for tap in LAYERS.values() if tap != CONTENT_TAP)
ARITHMETIC = f"torchvision vgg19 features, zero padding, 2 x 2 maximum pooling; {PREPROCESSING}"


def blueprint(name: str) -> Blueprint:
    """Describe VGG-19 to relu5_1: five style taps, and relu4_2 for the content loss.

    Source: Simonyan and Zisserman 2015, configuration E; taps of Gatys, Ecker, Bethge 2016. Deviation: maximum
    instead of average pooling, and torchvision's own training instead of the authors' Caffe weights.
    """
    return Blueprint(
        definition=repr((name, ARITHMETIC, LAYERS, CONTENT_TAP)).encode(),
        build=_build,
        taps=TAPS,
        content_tap=CONTENT_TAP,
        min_side=16,
    )


def _build() -> TappedLayers:
    with torch.device("meta"):
        layers = vgg19(init_weights=False).features
    return TappedLayers(layers, LAYERS)
