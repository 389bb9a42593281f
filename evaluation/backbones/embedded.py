"""The backbones that need no weight file of others: each lies whole in this folder."""

from pathlib import Path

from safetensors.torch import load

from evaluation.backbones import oriented_pyramid, tiny_vgg
from evaluation.backbones.blueprint import Blueprint


def blueprint(name: str) -> Blueprint:
    """Describe an embedded backbone, weights included."""
    return _BLUEPRINTS[name]()


def _oriented_pyramid() -> Blueprint:
    return Blueprint(
        definition=oriented_pyramid.definition(),
        build=oriented_pyramid.OrientedPyramid,
        taps=oriented_pyramid.TAPS,
        content_tap="r41",
    )


def _tiny_vgg() -> Blueprint:
    weights = Path(tiny_vgg.__file__).with_name(tiny_vgg.WEIGHTS_FILE).read_bytes()
    return Blueprint(
        definition=weights + tiny_vgg.ARITHMETIC.encode(),
        build=lambda: tiny_vgg.build(load(weights)),
        taps=tiny_vgg.TAPS,
        content_tap=tiny_vgg.CONTENT_TAP,
        min_side=32,
    )


_BLUEPRINTS = {"oriented-pyramid-1": _oriented_pyramid, "tiny-vgg-1": _tiny_vgg}
