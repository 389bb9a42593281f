"""Outputs that do not depend on the style image, or not on the content image, that was asked for."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.stats import beta

from evaluation.errors import InvalidTensor
from evaluation.gaming.flag import Flag
from evaluation.metrics.checks import check_pixels

THRESHOLD = 0.75
_CELLS = 8  # cells a side in which a layout is seen
_STILL = 0.02  # part of the difference between the images below which outputs count as equal
_LIGHTNESS = np.array([0.299, 0.587, 0.114])


def flag_ignored_style(
    outputs: Sequence[np.ndarray],
    styles: Sequence[str],
    contents: Sequence[str],
    images: Mapping[str, np.ndarray],
) -> Flag:
    """Raise IGNORES_STYLE where the outputs of one content image do not tell which style was asked for.

    Of each picture the mean and deviation of its channels and the strength of its edges are kept. Inside the outputs
    of one content image, and inside their style images, the mean is taken off; an output is recognized where its own
    style points the same way most nearly (cosine). So a weak transfer is recognized as well as a strong one. Outputs
    that differ by less than 2 % of what their styles differ by are not recognized.

    Args:
        outputs: uint8 (H, W, 3), one per pair.
        styles: the style image of each pair.
        contents: the content image of each pair.
        images: the style images by name, uint8 (H', W', 3).

    Returns:
        the flag; strength is 1 less the upper limit (one-sided 95 %, Clopper and Pearson 1934) of
        ``(rate - chance) / (1 - chance)``, which is 0 at chance and 1 at certainty; raised from 0.75.

    Raises:
        InvalidTensor: sequences of different lengths, a name without image, or wrong pictures.
    """
    return _flag("IGNORES_STYLE", (outputs, styles, contents), images, see=_look)


def flag_ignored_content(
    outputs: Sequence[np.ndarray],
    styles: Sequence[str],
    contents: Sequence[str],
    images: Mapping[str, np.ndarray],
) -> Flag:
    """Raise IGNORES_CONTENT where the outputs of one style image do not tell which content was asked for.

    As `flag_ignored_style` with the roles exchanged; of each picture the lightness of 8 x 8 cells is kept.

    Args:
        outputs: uint8 (H, W, 3), one per pair.
        styles: the style image of each pair.
        contents: the content image of each pair.
        images: the content images by name, uint8 (H', W', 3).

    Returns:
        the flag; strength as in `flag_ignored_style`, raised from 0.75.

    Raises:
        InvalidTensor: sequences of different lengths, a name without image, or wrong pictures.
    """
    return _flag("IGNORES_CONTENT", (outputs, contents, styles), images, see=_layout)


def _flag(
    code: str,
    columns: tuple[Sequence[np.ndarray], Sequence[str], Sequence[str]],
    images: Mapping[str, np.ndarray],
    *,
    see: Callable[[np.ndarray], np.ndarray],
) -> Flag:
    outputs, asked, groups = columns
    if not len(outputs) == len(asked) == len(groups):
        raise InvalidTensor(f"{code}: columns of {len(outputs)}, {len(asked)} and {len(groups)} pairs.")
    if missing := sorted(set(asked) - images.keys()):
        raise InvalidTensor(f"{code}: no image for {', '.join(missing[:5])}.")
    seen = np.array([see(output) for output in outputs])
    wanted = {name: see(images[name]) for name in set(asked)}
    members = defaultdict(list)
    for index, group in enumerate(groups):
        members[group].append(index)
    n, hits, chance, free = 0, 0, 0.0, 0
    for inside in members.values():
        if len(inside) > 1:
            own = np.array([wanted[asked[index]] for index in inside])
            hits += _count_recognized(seen[inside], own)
            n, chance, free = n + len(inside), chance + 1.0, free + len(inside) - 1
    return _verdict(code, hits, n, chance / n if n else 1.0, free)


def _count_recognized(seen: np.ndarray, own: np.ndarray) -> int:
    """Count the rows of `seen` (K, D) that point to their own row of `own` (K, D), both less their means."""
    ours, theirs = seen - seen.mean(axis=0), own - own.mean(axis=0)
    lengths, scale = np.linalg.norm(ours, axis=1), np.linalg.norm(theirs, axis=1)
    cosines = ours @ theirs.T / np.maximum(lengths[:, None] * scale[None], 1e-12)  # (K, K)
    is_moving = lengths > _STILL * np.sqrt(np.square(scale).mean())
    return int((is_moving & (cosines.argmax(axis=1) == np.arange(len(seen)))).sum())


def _verdict(code: str, hits: int, n: int, chance: float, free: int) -> Flag:
    kind = "style" if code == "IGNORES_STYLE" else "content"
    if free < 1:
        sentence = f"No two outputs differ in their {kind} image alone, so nothing can be told."
        return Flag(code, 0.0, THRESHOLD, False, sentence)
    # centering ties the outputs of a group together, so a group of k counts as k - 1
    rate, limit = hits / n, 1.0
    if rate < 1:
        limit = float(beta.ppf(0.95, rate * free + 1, free - rate * free))
    strength = min(1.0, max(0.0, 1.0 - (limit - chance) / (1.0 - chance)))
    sentence = (
        f"The right {kind} image is recognized in {hits} of {n} outputs, chance alone would give {n * chance:.0f}; "
        f"raised where more than {1 - THRESHOLD:.0%} of the way from chance to certainty can be ruled out."
    )
    return Flag(code, strength, THRESHOLD, strength >= THRESHOLD, sentence)


def _look(image: np.ndarray) -> np.ndarray:
    """Return means and deviations of the channels, and of the lightness the edges in both directions: (8,)."""
    check_pixels("look", image)
    pixels = image / 255.0
    lightness = pixels @ _LIGHTNESS
    edges = [np.abs(np.diff(lightness, axis=axis)).mean() for axis in (0, 1)]
    return np.concatenate([pixels.mean(axis=(0, 1)), pixels.std(axis=(0, 1)), edges])


def _layout(image: np.ndarray) -> np.ndarray:
    """Return the mean lightness of 8 x 8 cells: (64,)."""
    check_pixels("layout", image)
    rows = np.array_split(image @ (_LIGHTNESS / 255.0), _CELLS, axis=0)
    return np.array([cell.mean() for row in rows for cell in np.array_split(row, _CELLS, axis=1)])
