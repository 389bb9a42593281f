"""The rule for public boards: few styles are public, and a best moves only by more than its noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.errors import InvalidTensor
from evaluation.spec import Direction
from evaluation.statistics.bootstrap import DRAWS, bootstrap_means
from evaluation.statistics.design import Design

PUBLIC_SHARE = 0.3


@dataclass(frozen=True)
class Step:
    """How far a submission is ahead of the standing best, and whether it takes its place.

    `gain` is positive when better; `standard_error` is that of the paired difference.
    """

    moves: bool
    gain: float
    standard_error: float


def public_styles(design: Design, *, share: float = PUBLIC_SHARE, seed: int) -> frozenset[str]:
    """Choose the styles of the public board at random, from every culture in proportion.

    Args:
        design: the images and cultures of all pairs.
        share: of the styles, above 0 and below 1.
        seed: who knows it knows the choice.

    Returns:
        Names of styles; their number is share * S, rounded up or down, and likewise in each culture.

    Raises:
        InvalidTensor: `share` is out of range.

    Source: systematic sampling from a list ordered by culture, Cochran 1977, section 8.1.
    """
    if not 0 < share < 1:
        raise InvalidTensor(f"ladder: expected a share between 0 and 1, found {share}.")
    generator = np.random.Generator(np.random.PCG64(seed))
    order = np.lexsort((generator.random(design.n_styles), design.culture_of_style))
    marks = np.floor(np.arange(design.n_styles + 1) * share + generator.random())
    names = sorted(set(design.styles))
    return frozenset(names[style] for style in order[np.diff(marks) > 0])


def climb(
    best: np.ndarray,
    new: np.ndarray,
    design: Design,
    *,
    direction: Direction = Direction.HIGHER,
    draws: int = DRAWS,
    seed: int,
) -> Step:
    """Decide whether a submission replaces the standing best: ``gain > 0`` and ``gain >= standard error``.

    Args:
        best: float (P,), complete, the public values of the standing best.
        new: float (P,), complete, those of the new submission.
        design: the images and cultures of the P public pairs.
        direction: which way the metric improves.
        draws: number of bootstrap draws for the standard error.
        seed: of the draws.

    Returns:
        The gain in the unit of the values, positive when better, its standard error, and the decision.

    Raises:
        InvalidTensor: shapes do not fit, or a value is missing.

    Source: the parameter-free ladder of Blum and Hardt 2015. Deviation: the standard error is that of
    the crossed bootstrap, and a best that moves is shown unrounded.
    """
    rows = design.check(np.stack([new, best]))
    if np.isnan(rows).any():
        raise InvalidTensor("ladder: a value is missing.")
    means = design.means(rows)
    difference = (rows[0] - rows[1])[None]
    standard_error = float(bootstrap_means(difference, design, draws, seed=seed).std())
    gain = float(means[0] - means[1]) * (1.0 if direction is Direction.HIGHER else -1.0)
    return Step(gain > 0 and gain >= standard_error, gain, standard_error)


def public_best(
    submissions: Sequence[np.ndarray],
    design: Design,
    *,
    direction: Direction = Direction.HIGHER,
    draws: int = DRAWS,
    seed: int,
) -> tuple[int, ...]:
    """Return which submission stands as the public best after each one; the first always stands.

    Args:
        submissions: rows of float (P,) in the order of their arrival.
        design: the images and cultures of the P public pairs.
        direction: which way the metric improves.
        draws: number of bootstrap draws for the standard errors.
        seed: of the draws.

    Raises:
        InvalidTensor: shapes do not fit, or a value is missing.
    """
    best: list[int] = []
    for number, row in enumerate(submissions):
        if (
            not best
            or climb(submissions[best[-1]], row, design, direction=direction, draws=draws, seed=seed).moves
        ):
            best.append(number)
        else:
            best.append(best[-1])
    return tuple(best)
