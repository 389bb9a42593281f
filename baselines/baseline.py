"""What is known of one reference generator: where it comes from, which files make its archive, how it is trained."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

BACKBONES = Path(__file__).parents[1] / "evaluation" / "backbones"
WEIGHTS = Path(__file__).parent / "weights"
WEIGHTS_FILE = "weights.safetensors"


@dataclass(frozen=True)
class Baseline:
    """One reference generator.

    `code` is the module whose source becomes `model.py` of the archive; it may import nothing of this project.
    `files` maps further names in the archive to modules whose source is copied there, or to files. `source` and
    `simplified` are for the card: papers with equation numbers, and what differs from them and why.
    `method` is "module:Class" of what trains a learned one; `steps` and `batch` are what it takes on a CPU.
    `collection` is the culture of the painted pictures that a generator learns and draws like whatever the style
    image, where a training names no others; "" for those that look at the style image.
    """

    name: str
    title: str
    kind: Literal["trivial", "optimized", "learned"]
    code: str
    description: str
    source: str
    simplified: str = "nothing"
    paper: str = ""
    license: str = "Apache-2.0"
    version: str = "1.0.0"
    files: Mapping[str, str | Path] = field(default_factory=dict)
    method: str = ""
    steps: int = 0
    batch: int = 4
    has_strength: bool = False
    collection: str = ""

    @property
    def archive_name(self) -> str:
        """Return the name in the manifest, where underscores are not allowed."""
        return self.name.replace("_", "-")

    @property
    def weights(self) -> Path:
        """Return where the trained weights lie that the project ships; only learned baselines have any."""
        return WEIGHTS / f"{self.name}.safetensors"

    @property
    def record(self) -> Path:
        """Return where the record of their training lies."""
        return WEIGHTS / f"{self.name}.json"

    @property
    def is_ready(self) -> bool:
        """Tell whether there is an archive to make: a learned baseline needs weights."""
        return self.kind != "learned" or self.weights.exists()

    def bundle_files(self, weights: Path | None = None, strength: float = 1.0) -> dict[str, bytes]:
        """Read the files of the archive, all but the manifest; nothing is imported.

        Args:
            weights: of a learned baseline, in place of the shipped ones.
            strength: of a learned baseline, in [0, 1].
        """
        sources = {"model.py": self.code, **self.files}
        files = {name: _locate(source).read_bytes() for name, source in sources.items()}
        if self.kind == "learned":
            files[WEIGHTS_FILE] = (weights or self.weights).read_bytes()
            files["settings.json"] = json.dumps({"strength": strength}).encode() + b"\n"
        return files


def _locate(source: str | Path) -> Path:
    if isinstance(source, Path):
        return source
    spec = find_spec(source)  # imports the packages around the module, which hold nothing, and not the module
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{source} is not a module with a source file")
    return Path(spec.origin)
