"""Groups of entries that the data cannot tell apart, overlapping as the letters of a compact display do."""

from dataclasses import dataclass

import numpy as np

from evaluation.errors import InvalidTensor
from evaluation.spec import Direction
from evaluation.statistics.design import Design
from evaluation.statistics.sign_flip import holm, pairwise_sign_flips, smallest_p

MARGIN = 0.01
ALPHA = 0.05


@dataclass(frozen=True)
class Groups:
    """Groups of E entries, in the order they were given; two entries share a group if their ranges meet.

    `first` and `last` are the groups that an entry belongs to, from 1, never falling down the board.
    `p_next` is the corrected p of the difference to the next entry down the board: None for the last one,
    and where no test is reported.
    """

    first: tuple[int, ...]
    last: tuple[int, ...]
    p_next: tuple[float | None, ...]

    def are_shared(self, one: int, other: int) -> bool:
        """Tell whether two entries share a group."""
        return self.first[one] <= self.last[other] and self.first[other] <= self.last[one]


def group_entries(
    values: np.ndarray,
    design: Design,
    draws: np.ndarray,
    *,
    direction: Direction = Direction.HIGHER,
    margin: float = MARGIN,
    alpha: float = ALPHA,
    seed: int,
) -> Groups:
    """Group the entries so that two of equal merit share a group on at least 95 % of boards.

    Two entries are told apart if all of this holds:

    1. their means differ by at least `margin`: less is a tie even if it is significant;
    2. the paired bootstrap interval (level 1 - alpha) of their difference does not hold 0;
    3. the paired sign-flip test over styles, corrected by Holm over all comparisons of either entry, gives
       p <= alpha. With fewer than 10 styles, or so many entries that no corrected p could be that small, no
       test is reported and the first two decide.

    Going down the board, each entry opens a group that runs to the last entry it is not told apart from;
    a group inside an earlier one is dropped. So entries that are not told apart always share a group.
    Comparing each entry with its neighbor alone would not do: on a full board all steps are ties.

    Args:
        values: float (E, P), complete.
        design: the images and cultures of the P pairs.
        draws: float (E, B), from `bootstrap_means` of the same values.
        direction: which way the metric improves.
        margin: in the unit of the values.
        alpha: chance of telling an entry apart from any of its equals.
        seed: of the sign flips.

    Returns:
        The groups and the p-values between neighbors.

    Raises:
        InvalidTensor: shapes do not fit, or a value is missing.

    Source: letters as in Piepho 2004, as runs of the ranking.
    """
    rows = design.check(values)
    if np.isnan(rows).any() or len(draws) != len(rows):
        raise InvalidTensor(f"groups: expected complete values and draws of {len(rows)} entries.")
    sign = 1.0 if direction is Direction.HIGHER else -1.0
    means = sign * design.means(rows)
    order = np.lexsort((-sign * draws.mean(axis=1), -means))
    p_values = _corrected(design.style_means(rows[order]), design.style_weights, alpha, seed)
    apart = (means[order][:, None] - means[order] >= margin) & _leads(sign * draws[order], alpha)
    if p_values is not None:
        apart &= p_values <= alpha
    first, last = _runs(apart)
    place = np.argsort(order)
    return Groups(
        first=tuple(first[place].tolist()),
        last=tuple(last[place].tolist()),
        p_next=tuple(_p_next(p_values, row) for row in place.tolist()),
    )


def _corrected(style_means: np.ndarray, weights: np.ndarray, alpha: float, seed: int) -> np.ndarray | None:
    """Correct each entry's comparisons with all others; of the two values of a pair, the larger counts."""
    n_entries, n_styles = style_means.shape
    if n_entries < 2 or smallest_p(n_styles) * (n_entries - 1) > alpha:
        return None
    p_values = pairwise_sign_flips(style_means, weights, seed=seed)
    if p_values is None:
        return None
    others = ~np.eye(n_entries, dtype=bool)
    families = np.ones_like(p_values)
    families[others] = holm(p_values[others].reshape(n_entries, n_entries - 1)).ravel()
    return np.asarray(np.maximum(families, families.T))


def _leads(draws: np.ndarray, alpha: float) -> np.ndarray:
    """Tell which entries are ahead of which in so many draws that the interval of the difference excludes 0."""
    shares = [(row > draws).mean(axis=1) for row in draws]
    return np.stack(shares) >= 1 - alpha / 2


def _runs(apart: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and last group of each entry, entries best first."""
    n_entries = len(apart)
    ends = np.array([np.flatnonzero(~row)[-1] for row in apart])
    reach = np.maximum.accumulate(ends)
    is_new = np.diff(reach, prepend=-1) > 0
    first = 1 + np.searchsorted(reach[is_new], np.arange(n_entries))
    return first, np.cumsum(is_new)


def _p_next(p_values: np.ndarray | None, row: int) -> float | None:
    return None if p_values is None or row + 1 == len(p_values) else float(p_values[row, row + 1])
