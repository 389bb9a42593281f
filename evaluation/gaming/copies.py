"""Outputs that are the content image, the style image, or one laid over the other, pixel by pixel."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.errors import InvalidTensor
from evaluation.gaming.flag import Flag, share_flag
from evaluation.metrics.checks import check_pixels

COPIED = 0.98  # R^2 from which an output is one of its images
SHOWING = 0.02  # share of the variance from which an image shows through
LEAST_STYLE = 0.02  # style score from which a slight change is a weak transfer, not a copy
SHARE, LEAST_PAIRS = 0.5, 8


@dataclass(frozen=True)
class Overlap:
    """How much of an output its two images explain in place, as shares of its variance in [0, 1].

    `content`: by ``a c + b``, one gain and one offset for all channels; `style`: by the style image, recolored at will.
    `content_gain` and `style_gain`: what that image, recolored at will, adds to the other one, recolored at will.
    """

    content: float
    style: float
    content_gain: float
    style_gain: float


def measure_overlap(output: np.ndarray, content: np.ndarray, style: np.ndarray) -> Overlap:
    """Regress an output on its content and style image: ``R^2 = 1 - sum (o - fit)^2 / sum (o - mean)^2``.

    A change of brightness and contrast leaves R^2 on the content image at 1, a change of hue does not: color transfers
    are no copies. Everything else is fitted with 3 x 3 color matrices, ``o = B s + b``, ``o = A c + b`` and both,
    ``o = A c + B s + b``, so that a style image or a blend is seen through any affine recoloring.

    Args:
        output: uint8 (H, W, 3).
        content: uint8 (H, W, 3).
        style: uint8 (H, W, 3).

    Returns:
        the overlap; all 0 for an output of a single color.

    Raises:
        InvalidTensor: wrong or differently sized pictures.

    Source: ordinary least squares.
    """
    check_pixels("overlap", output, content, style)
    o, c, s = (image.reshape(-1, 3) / 255.0 for image in (output, content, style))  # (H*W, 3)
    if not o.var(axis=0).any():
        return Overlap(0.0, 0.0, 0.0, 0.0)
    of_content, of_style, of_both = (_explained(o, given) for given in (c, s, np.hstack([c, s])))
    return Overlap(
        content=_explained(o.reshape(-1, 1), c.reshape(-1, 1)),
        style=of_style,
        content_gain=of_both - of_style,
        style_gain=of_both - of_content,
    )


def flag_copies(overlaps: Sequence[Overlap], style_scores: Sequence[float]) -> tuple[Flag, Flag, Flag]:
    """Raise COPY_CONTENT, COPY_STYLE and BLEND from the overlaps of some pairs of one entry.

    A pair is a copy of the content image where ``R^2 >= 0.98`` and the style score is below 0.02. AdaIN and WCT that
    are weakened until R^2 is 0.98 still score 0.03 to 0.3, so a slight change is not called a copy. A pair is a copy of
    the style image where ``R^2 >= 0.98``, and a blend where it is neither and each image adds 0.02 or more to what the
    other explains. In color transfers, Gatys, AdaIN and WCT the style image adds 0.00 to 0.03, at most 0.02 on nine
    pairs of ten.

    Args:
        overlaps: of `measure_overlap`, one per pair.
        style_scores: S of the same pairs, in [0, 1].

    Returns:
        the three flags; strength is the share of pairs, raised from half of at least 8 pairs.

    Raises:
        InvalidTensor: different numbers of overlaps and scores.
    """
    if len(overlaps) != len(style_scores):
        raise InvalidTensor(f"copies: {len(overlaps)} overlaps and {len(style_scores)} style scores.")
    kinds = [_kind(overlap, score) for overlap, score in zip(overlaps, style_scores, strict=True)]
    sentences = {
        "COPY_CONTENT": "the output is the content image up to brightness and contrast, with a style score below 0.02",
        "COPY_STYLE": "the output is the style image, recolored at most",
        "BLEND": "content and style image both show through the output in place, as in a blend",
    }
    made = [
        share_flag(code, kinds.count(code), len(kinds), threshold=SHARE, least=LEAST_PAIRS, what=what)
        for code, what in sentences.items()
    ]
    return made[0], made[1], made[2]


def _kind(overlap: Overlap, style_score: float) -> str:
    if overlap.content >= COPIED:
        return "COPY_CONTENT" if style_score < LEAST_STYLE else ""
    if overlap.style >= COPIED:
        return "COPY_STYLE"
    return "BLEND" if min(overlap.content_gain, overlap.style_gain) >= SHOWING else ""


def _explained(target: np.ndarray, regressors: np.ndarray) -> float:
    """Return R^2 of `target` (P, K) on `regressors` (P, M) and a constant."""
    centered = target - target.mean(axis=0)  # (P, K)
    given = regressors - regressors.mean(axis=0)  # (P, M)
    # normal equations: P is large, M at most 6, and collinear channels (gray pictures) are no trouble to lstsq
    plan = np.linalg.lstsq(given.T @ given, given.T @ centered, rcond=1e-9)[0]  # (M, K)
    return float(1.0 - np.square(centered - given @ plan).sum() / np.square(centered).sum())
