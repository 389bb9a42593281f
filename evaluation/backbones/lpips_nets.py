"""The networks of LPIPS v0.1: torchvision trunks, and the linear heads that the package `lpips` brings along.

The scaling layer of LPIPS on [-1, 1] is the usual ImageNet normalization on [0, 1], written differently. Dropout in
front of the heads does nothing when images are judged and is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torchvision.models import alexnet, squeezenet1_1, vgg16

from evaluation.backbones.blueprint import Blueprint
from evaluation.backbones.tapped_layers import PREPROCESSING, TappedLayers
from evaluation.backbones.weight_files import read_state

ARITHMETIC = f"LPIPS v0.1: torchvision features; {PREPROCESSING}"


@dataclass(frozen=True)
class _Net:
    network: Callable[[], nn.Module]
    layers: dict[int, str]
    heads_file: str
    heads_sha256: str
    min_side: int


_NETS = {
    "lpips-alex-0.1": _Net(
        network=alexnet,
        layers={1: "relu1", 4: "relu2", 7: "relu3", 9: "relu4", 11: "relu5"},
        heads_file="alex.pth",
        heads_sha256="df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
        min_side=31,
    ),
    "lpips-vgg-0.1": _Net(
        network=lambda: vgg16(init_weights=False),
        layers={3: "relu1_2", 8: "relu2_2", 15: "relu3_3", 22: "relu4_3", 29: "relu5_3"},
        heads_file="vgg.pth",
        heads_sha256="a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
        min_side=16,
    ),
    "lpips-squeeze-0.1": _Net(
        network=squeezenet1_1,
        layers={
            1: "relu1",
            4: "relu2",
            7: "relu3",
            9: "relu4",
            10: "relu5",
            11: "relu6",
            12: "relu7",
        },  # fmt: skip
        heads_file="squeeze.pth",
        heads_sha256="4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76",
        min_side=17,
    ),
}


def blueprint(name: str) -> Blueprint:
    """Describe one network of LPIPS with its heads; `content_tap` is the last tap, which LPIPS gives no role.

    Raises:
        ModuleNotFoundError: the package `lpips`, of which only data files are used, is not installed.
        WeightsCorrupt: its heads are not those of version 0.1.

    Source: Zhang et al. 2018 (LPIPS), section 3 and the authors' code, version 0.1.4.
    """
    net = _NETS[name]
    taps = tuple(net.layers.values())
    return Blueprint(
        definition=repr((name, ARITHMETIC, net.layers, net.heads_sha256)).encode(),
        build=lambda: _build(net),
        taps=taps,
        content_tap=taps[-1],
        heads=_read_heads(net),
        min_side=net.min_side,
    )


def _build(net: _Net) -> TappedLayers:
    with torch.device("meta"):
        layers = cast(nn.Sequential, net.network().features)
    return TappedLayers(layers, net.layers)


def _read_heads(net: _Net) -> tuple[Tensor, ...]:
    # find_spec does not run the package, whose import pulls in plotting libraries
    spec = find_spec("lpips")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("lpips is not installed", name="lpips")
    state = read_state(Path(spec.origin).parent / "weights" / "v0.1" / net.heads_file, net.heads_sha256)
    return tuple(state[f"lin{index}.model.1.weight"] for index in range(len(net.layers)))  # (1, C, 1, 1) each
