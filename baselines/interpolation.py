"""Draw one photograph in a row of pictures that leads from one culture to another: codes of styles are mixed."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from baselines.baseline import WEIGHTS_FILE
from baselines.networks.style_modulated import Model, mix
from baselines.registry import BASELINES
from baselines.training.pictures import read_picture, read_styles
from evaluation.errors import WeightsMissing
from evaluation.images import write_png

NAME = "style_modulated"
SIZE = 256  # pixels of the shorter side, at most; of style images half of it


def write_row(
    content: Path, ends: tuple[str, str], styles: Sequence[str], out: Path, *, count: int, run: Path | None
) -> None:
    """Write `count` pictures side by side: the first as the first culture would draw it, the last as the second.

    Args:
        content: picture that is drawn.
        ends: two cultures or schools, named as for a training; the codes of all their pictures are averaged.
        styles: folders with a subfolder for each culture, or the word "generated".
        out: PNG that is written.
        count: pictures, at least 2.
        run: folder of a finished training, in place of the shipped weights.

    Raises:
        WeightsMissing, MissingFolder, UnknownCulture, TooFewImages, InvalidImage: say what to do.
    """
    model = load_model(run)
    cultures = [
        [image.permute(1, 2, 0).numpy() for image in read_styles(styles, SIZE // 2, (name,)).images]
        for name in ends
    ]
    write_png(draw_row(model, read_picture(content, SIZE), cultures, count), out)


def load_model(run: Path | None = None) -> Model:
    """Load the style-modulated generator, with shipped weights or those of a run."""
    baseline = BASELINES[NAME]
    weights = baseline.weights if run is None else run / WEIGHTS_FILE
    if not weights.exists():
        raise WeightsMissing(
            f"{NAME} has no weights at {weights}.", fix=f"Run: python -m baselines train {NAME}"
        )
    with tempfile.TemporaryDirectory(prefix="pastiche-row-") as folder:
        for name, data in baseline.bundle_files(weights).items():
            (Path(folder) / name).write_bytes(data)
        return Model(folder, "cpu")


def draw_row(
    model: Model, content: np.ndarray, cultures: Sequence[Sequence[np.ndarray]], count: int
) -> np.ndarray:
    """Draw `content`, uint8 (H, W, 3), with codes on the line between two cultures: uint8 (H, count * W, 3)."""
    first, second = (model.encode(styles) for styles in cultures)
    row = [model.draw(content, mix(first, second, place / (count - 1))) for place in range(count)]
    return np.concatenate(row, axis=1)
