"""Turn a learned generator into an ONNX graph that computes the same pictures without any code of ours."""

import tempfile
import warnings
from importlib import import_module
from pathlib import Path

import torch
from safetensors.torch import load
from torch import Tensor, nn

from baselines.baseline import Baseline

_OPSET = 18
_SIDE = 64  # of the pictures that the graph is traced with; it takes all sizes
_AXES = {2: "height", 3: "width"}


class _Signed(nn.Module):
    """The generator on pictures in [-1, 1], as the archive format wants floats."""

    def __init__(self, generator: nn.Module, strength: float) -> None:
        super().__init__()
        self.generator, self.strength = generator, strength

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        stylized: Tensor = self.generator((content + 1) / 2, (style + 1) / 2, self.strength)
        # a generator that does not look at the style image would lose that input of the graph
        return 2 * stylized.clamp(0, 1) - 1 + 0 * style[:, :, :1, :1]


def export_graph(baseline: Baseline, weights: bytes, strength: float = 1.0) -> bytes:
    """Return the graph with the inputs `content` and `style` and the output `stylized`.

    All are float32 (1, 3, H, W) in [-1, 1]; content and style have one size, which may be any.
    """
    signed = _Signed(import_module(baseline.code).build(load(weights)), strength).eval()
    pair = (torch.zeros(1, 3, _SIDE, _SIDE), torch.zeros(1, 3, _SIDE, _SIDE))
    with tempfile.TemporaryDirectory(prefix="pastiche-onnx-") as folder, warnings.catch_warnings():
        path = Path(folder) / "graph.onnx"
        # the tracing exporter is deprecated; its successor needs onnxscript, and fixes sizes that must stay open
        warnings.simplefilter("ignore")
        torch.onnx.export(
            signed,
            pair,
            path,
            dynamo=False,
            opset_version=_OPSET,
            input_names=["content", "style"],
            output_names=["stylized"],
            dynamic_axes={name: _AXES for name in ("content", "style", "stylized")},
        )
        return path.read_bytes()
