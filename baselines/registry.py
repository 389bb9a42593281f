"""The reference generators by name: what each is, where it comes from, and which files make its archive."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

BACKBONES = Path(__file__).parents[1] / "evaluation" / "backbones"


@dataclass(frozen=True)
class Baseline:
    """One reference generator.

    `code` is the module whose source becomes `model.py` of the archive; it may import nothing of this project.
    `files` maps further names in the archive to modules whose source is copied there, or to files.
    """

    name: str
    title: str
    kind: Literal["trivial", "optimized", "learned"]
    code: str
    description: str
    paper: str = ""
    license: str = "Apache-2.0"
    training_data: str = "none"
    version: str = "1.0.0"
    files: Mapping[str, str | Path] = field(default_factory=dict)

    def bundle_files(self) -> dict[str, bytes]:
        """Read the files of the archive, all but the manifest; nothing is imported."""
        sources = {"model.py": self.code, **self.files}
        return {name: _locate(source).read_bytes() for name, source in sources.items()}


def _locate(source: str | Path) -> Path:
    if isinstance(source, Path):
        return source
    spec = find_spec(source)  # imports the packages around the module, which hold nothing, and not the module
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{source} is not a module with a source file")
    return Path(spec.origin)


_LIST = (
    Baseline(
        name="identity",
        title="Identity",
        kind="trivial",
        code="baselines.identity",
        description="Returns the content image untouched: all content, no style, headline 0.",
    ),
    Baseline(
        name="style-copy",
        title="Style copy",
        kind="trivial",
        code="baselines.style_copy",
        description="Returns the style image: all style, no content, headline 0.",
    ),
    Baseline(
        name="reinhard",
        title="Color transfer (Reinhard 2001)",
        kind="trivial",
        code="baselines.reinhard",
        description="Moves mean and spread of the colors in l-alpha-beta to those of the style image.",
        paper="https://doi.org/10.1109/38.946629",
    ),
    Baseline(
        name="histogram",
        title="Histogram matching",
        kind="trivial",
        code="baselines.histogram",
        description="Gives red, green and blue the distribution of levels that they have in the style image.",
    ),
    Baseline(
        name="gatys",
        title="Gatys 2016 on tiny-vgg-1",
        kind="optimized",
        code="baselines.gatys",
        description="Optimizes the pixels: content features and Gram matrices of the demo's own network.",
        paper="https://doi.org/10.1109/CVPR.2016.265",
        version="2.0.0",
        files={
            "tiny_vgg.py": "evaluation.backbones.tiny_vgg",
            "tiny-vgg-1.safetensors": BACKBONES / "tiny-vgg-1.safetensors",
        },
    ),
)

BASELINES: dict[str, Baseline] = {baseline.name: baseline for baseline in _LIST}
