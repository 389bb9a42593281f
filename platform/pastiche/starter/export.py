"""Write the archive in either accepted format: `python export.py python` or `python export.py onnx`."""

import hashlib
import json
import sys
import tempfile
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from evaluation.archive import pack_archive

BUNDLE = Path(__file__).parent / "bundle"
MANIFEST = "manifest.json"
sys.path.insert(0, str(BUNDLE))

from model import WEIGHTS, Generator, load_generator  # noqa: E402

GRAPH = "generator.onnx"
SIDE = 64  # of the pictures that the graph is traced with; it takes all sizes


class Signed(nn.Module):
    """The generator on pictures in [-1, 1]: what a float32 graph is given, and has to return."""

    def __init__(self, generator: Generator) -> None:
        """Keep the generator."""
        super().__init__()
        self.generator = generator

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        """Return the stylized picture in [-1, 1]."""
        return 2 * self.generator((content + 1) / 2, (style + 1) / 2) - 1


def read_manifest() -> dict[str, object]:
    """Read the manifest of the `python` archive."""
    fields: dict[str, object] = json.loads((BUNDLE / MANIFEST).read_text(encoding="utf-8"))
    return fields


def digest_of(data: bytes) -> str:
    """Return the sha256 of a file, which the manifest has to name for all weights."""
    return hashlib.sha256(data).hexdigest()


def list_weights() -> None:
    """Name the weights of a training in the manifest, with their digest."""
    if (BUNDLE / WEIGHTS).exists():
        digest = digest_of((BUNDLE / WEIGHTS).read_bytes())
        fields = read_manifest() | {"weights": [WEIGHTS], "sha256": {WEIGHTS: digest}}
        (BUNDLE / MANIFEST).write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")


def python_files() -> dict[str, bytes]:
    """Return the files of the bundle."""
    list_weights()
    return {path.name: path.read_bytes() for path in BUNDLE.iterdir() if path.is_file()}


def onnx_files() -> dict[str, bytes]:
    """Return a graph without any code, and a manifest for it."""
    graph = trace(Signed(load_generator(BUNDLE)).eval())
    fields = read_manifest() | {
        "format": "onnx",
        "entry": GRAPH,
        "io": {"dtype": "float32", "layout": "NCHW", "max_side": 1024},
        "weights": [GRAPH],
        "sha256": {GRAPH: digest_of(graph)},
    }
    return {MANIFEST: json.dumps(fields, indent=2).encode(), GRAPH: graph}


def trace(module: nn.Module) -> bytes:
    """Export with open height and width; inputs and output must have these names."""
    names = ["content", "style", "stylized"]
    example = torch.rand(1, 3, SIDE, SIDE), torch.rand(1, 3, SIDE, SIDE)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is old; it leaves the sizes open
        path = Path(folder) / GRAPH
        torch.onnx.export(
            module,
            example,
            path,
            dynamo=False,
            opset_version=18,
            input_names=names[:2],
            output_names=names[2:],
            dynamic_axes={name: {2: "height", 3: "width"} for name in names},
        )
        return path.read_bytes()


def main() -> None:
    """Write NAME-python.zip or NAME-onnx.zip."""
    form = sys.argv[1] if len(sys.argv) > 1 else "python"
    files = {"python": python_files, "onnx": onnx_files}[form]()
    target = Path(__file__).parent / f"{read_manifest()['name']}-{form}.zip"
    print(target, pack_archive(files, target))


if __name__ == "__main__":
    main()
