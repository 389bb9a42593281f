"""Style scores that are better on public styles than on hidden ones, beyond what chance explains."""

import numpy as np

from evaluation.errors import InvalidTensor
from evaluation.gaming.flag import Flag
from evaluation.statistics.bootstrap import DRAWS, bootstrap_means
from evaluation.statistics.design import Design

THRESHOLD = 0.05
LEAST_STYLES = 4
_SEED = 20_260_102


def flag_memorization(
    style_scores: np.ndarray, is_public: np.ndarray, design: Design, *, usual: np.ndarray
) -> Flag:
    """Raise MEMORIZES where the style score falls from public to hidden styles more than it does for others.

    The gap is ``mean(S - usual | public) - mean(S - usual | hidden)``, with the hierarchical means of the board.
    Without `usual` a split of easier styles would look like memory.

    Args:
        style_scores: S of the entry, float (P,), in [0, 1].
        is_public: bool (P,), which pairs a participant could train on.
        design: the images of the P pairs.
        usual: S that entries usually have on the same pairs, float (P,): the mean over others, or over controls.

    Returns:
        the flag; strength is the lower limit of the gap (one-sided 95 %, crossed bootstrap of both splits), in units
        of S, raised from 0.05 on at least 4 styles in each split.

    Raises:
        InvalidTensor: shapes that do not fit the design, or a split without pairs.
    """
    shapes = {np.shape(style_scores), np.shape(is_public), np.shape(usual)}
    if shapes != {(design.n_pairs,)} or np.asarray(is_public).dtype != np.bool_:
        raise InvalidTensor(
            f"memorization: expected columns of {design.n_pairs} pairs, found {sorted(shapes)}."
        )
    if np.all(is_public) or not np.any(is_public):
        raise InvalidTensor("memorization: expected public and hidden pairs.")
    excess = np.asarray(style_scores, dtype=np.float64) - usual
    means, draws, styles = [], [], []
    for number, chosen in enumerate((is_public, ~is_public)):
        part = design.select(chosen)
        means.append(float(part.means(excess[None, chosen])[0]))
        draws.append(bootstrap_means(excess[None, chosen], part, DRAWS, seed=_SEED + number)[0])
        styles.append(part.n_styles)
    gap, low = means[0] - means[1], float(np.percentile(draws[0] - draws[1], 5.0))
    sentence = (
        f"On {styles[0]} public styles the style score is {gap:.2f} higher than on {styles[1]} hidden ones, "
        f"beyond what is usual, and at least {low:.2f} higher with 95 % confidence; raised from {THRESHOLD}."
    )
    return Flag("MEMORIZES", low, THRESHOLD, min(styles) >= LEAST_STYLES and low >= THRESHOLD, sentence)
