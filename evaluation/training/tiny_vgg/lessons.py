"""Lessons: groups of crops of one pair and its transfers, with what the teacher says of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from evaluation.controls import (
    Control,
    add_noise,
    blend,
    blur,
    match_colors,
    quilt,
    reduce_palette,
    shuffle_patches,
    transfer_linear,
    transfer_mean_std,
)
from evaluation.training.tiny_vgg.pictures import Collection, to_tensor
from evaluation.training.tiny_vgg.relations import group_distances

SIDE = 96
SMALLEST_SHARE = 0.4  # of the shorter side of a picture, that a crop takes at least
COORDINATES = {"r11": 24, "r21": 48, "r31": 96, "r41": 128, "r51": 128}
STRIDES = {"r11": 2, "r21": 2, "r31": 1, "r41": 1, "r51": 1}  # of the positions that are kept
BASIS_GROUPS = 10

Network = Callable[[Tensor], dict[str, Tensor]]
Basis = dict[str, Tensor]


@dataclass(frozen=True)
class Lesson:
    """A group of N crops: content, style, another content, another style, then transfers.

    `images` is uint8 (N, 3, S, S); `distances` maps a tap to `group_distances` of the teacher; `maps` holds the
    teacher's features, half precision (N, K, h, w), as coordinates in the basis of their principal directions.
    """

    images: Tensor
    distances: dict[str, Tensor]
    maps: dict[str, Tensor]


def control_methods() -> Mapping[str, Control]:
    """Return the controls with strengths that the seed draws, in the form of the controls."""

    def draw(seed: int, low: float, high: float) -> float:
        return float(np.random.default_rng(seed).uniform(low, high))

    return {
        "blend": lambda c, s, seed: blend(c, s, draw(seed, 0.2, 0.8)),
        "blur": lambda c, s, seed: blur(c, draw(seed, 0.5, 3.0)),
        "noise": lambda c, s, seed: add_noise(c, seed, draw(seed, 0.02, 0.15)),
        "style_shuffle": lambda c, s, seed: shuffle_patches(s, seed, int(draw(seed, 6, 24))),
        "style_quilt": lambda c, s, seed: quilt(c, s, 2 * int(draw(seed, 3, 9))),
        "reinhard": lambda c, s, seed: transfer_mean_std(c, s),
        "histogram": lambda c, s, seed: match_colors(c, s),
        "linear": lambda c, s, seed: transfer_linear(c, s),
        "reinhard_blur": lambda c, s, seed: blur(transfer_mean_std(c, s), draw(seed, 0.5, 2.0)),
        "reinhard_noise": lambda c, s, seed: add_noise(transfer_mean_std(c, s), seed, draw(seed, 0.02, 0.1)),
        "palette": lambda c, s, seed: reduce_palette(c, s, seed, int(draw(seed, 4, 16))),
    }


def prepare_lessons(
    folder: Path,
    collection: Collection,
    methods: Mapping[str, Control],
    teacher: Network,
    *,
    groups: range,
    seed: int,
) -> None:
    """Write a file per group below `folder`; files that exist are kept, so it can be resumed or shared out."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "basis.pt"
    with torch.inference_mode():
        if not path.exists():
            crops = [_originals(collection, np.random.default_rng((seed, k))) for k in range(BASIS_GROUPS)]
            _save(principal_basis([teacher(to_tensor(group)) for group in crops]), path)
        basis: Basis = torch.load(path, weights_only=True)
    for k in tqdm(groups, desc="lessons", mininterval=10):
        path = folder / f"group-{k:05d}.pt"
        if not path.exists():
            lesson = _teach(draw_group(collection, methods, (seed, k)), teacher, basis)
            _save(vars(lesson), path)


def read_lessons(folder: Path, count: int | None = None) -> list[Lesson]:
    """Read the first `count` groups below `folder`, or all, in order of their numbers."""
    paths = sorted(folder.glob("group-*.pt"))[:count]
    return [
        Lesson(**torch.load(path, weights_only=True)) for path in tqdm(paths, desc="reading", mininterval=10)
    ]


def choose_crops(lesson: Lesson, count: int, generator: torch.Generator) -> Lesson:
    """Keep the content and the style image of a group and as many others as make `count`, at random."""
    total = len(lesson.images)
    others = torch.randperm(total - 2, generator=generator)[: max(0, count - 2)] + 2
    chosen = torch.cat([torch.tensor([0, 1]), others])
    rows = torch.cat([chosen, torch.tensor([total])])  # with the distances to nothing
    return Lesson(
        lesson.images[chosen],
        {tap: distances[:, rows][:, :, rows] for tap, distances in lesson.distances.items()},
        {tap: maps[chosen] for tap, maps in lesson.maps.items()},
    )


def draw_group(
    collection: Collection, methods: Mapping[str, Control], seed: tuple[int, int]
) -> list[np.ndarray]:
    """Draw crops of two contents and two styles and apply all methods to the first of each.

    Returns:
        content, style, other content, other style, outputs: uint8 (96, 96, 3) each.
    """
    generator = np.random.default_rng(seed)
    content, style, *others = _originals(collection, generator)
    outputs = [method(content, style, int(generator.integers(2**31))) for method in methods.values()]
    return [content, style, *others, *outputs]


def principal_basis(groups: list[dict[str, Tensor]]) -> Basis:
    """Return for each tap the (K, C) leading principal directions of the features, about zero."""
    basis = {}
    for tap in groups[0]:
        flat = torch.cat([group[tap].transpose(0, 1).flatten(1)[:, ::3] for group in groups], dim=1)  # (C, M)
        _, vectors = torch.linalg.eigh((flat @ flat.T).double() / flat.shape[1])
        basis[tap] = vectors.flip(1)[:, : COORDINATES[tap]].T.float().contiguous()
    return basis


def _originals(collection: Collection, generator: np.random.Generator) -> list[np.ndarray]:
    """Draw crops: content, style, another content, another style."""
    chosen = [
        generator.choice(len(pictures), 2, replace=False)
        for pictures in (collection.contents, collection.styles)
    ]
    contents, styles = list(collection.contents.values()), list(collection.styles.values())
    drawn = [contents[chosen[0][0]], styles[chosen[1][0]], contents[chosen[0][1]], styles[chosen[1][1]]]
    return [_crop(picture, generator) for picture in drawn]


def _crop(picture: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Cut a random square, resize it, perhaps mirror it."""
    height, width = picture.shape[:2]
    side = int(generator.uniform(SMALLEST_SHARE, 1.0) * min(height, width))
    top, left = generator.integers(height - side + 1), generator.integers(width - side + 1)
    square = Image.fromarray(picture[top : top + side, left : left + side])
    crop = np.array(square.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    return crop[:, ::-1] if generator.random() < 0.5 else crop


def _teach(group: list[np.ndarray], teacher: Network, basis: Basis) -> Lesson:
    images = to_tensor([np.ascontiguousarray(picture) for picture in group])
    with torch.inference_mode():
        taps = teacher(images)
        distances = {tap: group_distances(maps) for tap, maps in taps.items()}
        maps = {
            tap: torch.einsum(
                "kc,nchw->nkhw", basis[tap], maps[:, :, :: STRIDES[tap], :: STRIDES[tap]]
            ).half()
            for tap, maps in taps.items()
        }
    return Lesson((images * 255).round().byte(), distances, maps)


def _save(content: object, path: Path) -> None:
    temporary = path.with_suffix(".tmp")
    torch.save(content, temporary)
    temporary.rename(path)
