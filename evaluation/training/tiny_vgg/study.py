"""The frozen study set of held-out pictures, and what a backbone says of its outputs."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from evaluation.controls import Control
from evaluation.files import write_atomic
from evaluation.images import read_rgb, write_png
from evaluation.training.tiny_vgg.agreement import Distances
from evaluation.training.tiny_vgg.pictures import Collection, to_tensor

SIZE = 256
CONTENTS, STYLES = 8, 6
CONTENT_TAP = "r41"
_EPSILON = 1e-5

Network = Callable[[Tensor], dict[str, Tensor]]
Statistics = list[tuple[Tensor, Tensor]]  # of each tap: Gram matrix (C, C); means and deviations (2 C,)


def build_study(folder: Path, collection: Collection, methods: Mapping[str, Control]) -> None:
    """Write the outputs of all methods on all pairs below `folder`; files that exist are kept.

    The first contents and styles by name are paired: content.png, style.png and <method>.png in a folder a pair.
    """
    contents, styles = list(collection.contents.items())[:CONTENTS], list(collection.styles.items())[:STYLES]
    pairs = [(c, s) for c in contents for s in styles]
    for (content_name, content), (style_name, style) in tqdm(pairs, desc="study set", mininterval=10):
        place = folder / f"{Path(content_name).stem}--{Path(style_name).stem}"
        place.mkdir(parents=True, exist_ok=True)
        for name, method in {"content": _first, "style": _second, **methods}.items():
            path = place / f"{name}.png"
            if not path.exists():
                write_png(method(content, style, 0), path)


def measure_study(folder: Path, network: Network, methods: list[str]) -> Distances:
    """Measure all outputs below `folder` through `network`.

    Args:
        folder: as `build_study` left it.
        network: (1, 3, H, W) in [0, 1] to taps r11 to r51.
        methods: names of the outputs, in the order of the result.

    Returns:
        for each output the mean squared error at relu4_1, relative to the mean square of the content image's
        features; the squared difference of Gram matrices, relative to the style image's, summed over taps; the
        same of means and deviations.
    """
    places = sorted(path for path in folder.iterdir() if path.is_dir())
    contents = {place.name.split("--")[0]: _content_map(place / "content.png", network) for place in places}
    rows = []
    with torch.inference_mode():
        for place in tqdm(places, desc="measured pairs", mininterval=10):
            content = contents[place.name.split("--")[0]]
            others = [other for other in contents.values() if other is not content]
            rows.append(_measure_pair(place, network, methods, (content, others)))
    return Distances(
        **{field.name: np.array([row[field.name] for row in rows]) for field in fields(Distances)}
    )


def save_distances(distances: Distances, methods: list[str], path: Path) -> None:
    """Write distances as JSON, numbers in full precision."""
    table = {name: values.tolist() for name, values in asdict(distances).items()}
    write_atomic(path, json.dumps({"methods": methods, **table}).encode())


def read_distances(path: Path, methods: list[str]) -> Distances | None:
    """Read what `save_distances` wrote; None if there is no file, or one of other methods."""
    if not path.exists():
        return None
    table = json.loads(path.read_text())
    if table.pop("methods") != methods:
        return None
    return Distances(**{name: np.array(values) for name, values in table.items()})


def _measure_pair(
    place: Path, network: Network, methods: list[str], content: tuple[Tensor, list[Tensor]]
) -> dict[str, list[float] | float]:
    kept, others = content
    style_taps = network(to_tensor([read_rgb(place / "style.png")]))
    style = _statistics(style_taps)
    photo = _statistics(network(to_tensor([read_rgb(place / "content.png")])))
    foreign = float(np.median([_error(other, kept) for other in others]))
    row: dict[str, list[float] | float] = {
        "content_anchor": min(_error(style_taps[CONTENT_TAP], kept), foreign),
        "gram_anchor": _gap(photo, style, 0),
        "mean_std_anchor": _gap(photo, style, 1),
    }
    outputs: list[tuple[float, float, float]] = []
    for name in methods:
        taps = network(to_tensor([read_rgb(place / f"{name}.png")]))
        ours = _statistics(taps)
        outputs.append((_error(taps[CONTENT_TAP], kept), _gap(ours, style, 0), _gap(ours, style, 1)))
    columns = zip(*outputs, strict=True)
    return row | {
        name: list(column) for name, column in zip(("content", "gram", "mean_std"), columns, strict=True)
    }


def _content_map(path: Path, network: Network) -> Tensor:
    with torch.inference_mode():
        return network(to_tensor([read_rgb(path)]))[CONTENT_TAP]  # (1, C, H/8, W/8)


def _error(maps: Tensor, kept: Tensor) -> float:
    return float((maps - kept).square().mean() / kept.square().mean())


def _statistics(taps: dict[str, Tensor]) -> Statistics:
    found = []
    for maps in taps.values():
        flat = maps[0].flatten(1)  # (C, M)
        deviation = (flat.var(dim=1) + _EPSILON).sqrt()
        found.append((flat @ flat.T / flat.shape[1], torch.cat([flat.mean(dim=1), deviation])))
    return found


def _gap(ours: Statistics, style: Statistics, kind: int) -> float:
    parts = [
        (a[kind] - b[kind]).square().sum() / b[kind].square().sum() for a, b in zip(ours, style, strict=True)
    ]
    return float(sum(parts))


def _first(content: np.ndarray, style: np.ndarray, seed: int) -> np.ndarray:
    return content


def _second(content: np.ndarray, style: np.ndarray, seed: int) -> np.ndarray:
    return style
