"""Entries that a second network, which nobody could tune to, ranks much lower than the official one."""

import numpy as np
from scipy.stats import rankdata, theilslopes

from evaluation.errors import InvalidTensor
from evaluation.gaming.flag import Flag
from evaluation.statistics.bootstrap import DRAWS, bootstrap_means
from evaluation.statistics.design import Design

PLACES, ERRORS = 4, 2.0
LEAST_ENTRIES = 8
_MAD_TO_DEVIATION = 1.4826  # of a normal distribution
_SEED = 20_260_104


def flag_audit(official: np.ndarray, audit: np.ndarray, design: Design, *, entry: int) -> Flag:
    """Raise AUDIT_DISAGREES where an entry stands out under the official network and not under the audit network.

    Among entries of nearly equal score places mean nothing, so only sure ones are counted: the entries that it beats
    under the official network and that beat it under the audit network, less those with which it is the other way
    round; each lead has to be sure (one-sided 95 %, crossed bootstrap with common draws) under both networks.

    The two networks have different scales, so the score to expect is a robust line through all other entries, from
    audit to official headline. The excess is counted in ``sqrt(error^2 + spread^2)``: the standard error of the
    official headline, and the spread of the others around the line (1.4826 times the median of the distances). Only
    an official score that is too good counts.

    Args:
        official: headline of each entry and pair under the official suite, float (E, P), in [0, 1].
        audit: headline of the same entries and pairs under the audit suite, float (E, P), in [0, 1].
        design: the images of the P pairs.
        entry: index of the entry to judge.

    Returns:
        the flag; strength is the larger of (places lost) / 4 and (excess in standard errors) / 2, raised from 1 among
        at least 8 entries.

    Raises:
        InvalidTensor: shapes that do not fit, values that are not finite, or no such entry.

    Source: line by Theil 1950 and Sen 1968.
    """
    count = _check(official, audit, design, entry)
    if count < LEAST_ENTRIES:
        sentence = f"There are {count} entries; two networks are compared from {LEAST_ENTRIES} on."
        return Flag("AUDIT_DISAGREES", 0.0, 1.0, False, sentence)
    means = np.array([design.means(board) for board in (official, audit)])  # (2, E)
    draws = np.array([bootstrap_means(board, design, DRAWS, seed=_SEED) for board in (official, audit)])
    lost, excess = _places_lost(draws, entry), _excess(means, float(draws[0, entry].std()), entry)
    strength = max(0.0, lost / PLACES, excess / ERRORS)
    ranks = rankdata(-means, axis=1)[:, entry]  # 1 is best, ties share the middle place
    sentence = (
        f"Of {count} entries it is number {ranks[0]:.0f} under the official network and number {ranks[1]:.0f} under "
        f"the audit network, with {max(0, lost)} places lost for sure; its headline is {excess:+.1f} standard errors "
        f"away from what the audit lets expect. Raised from {PLACES} places or {ERRORS:+.0f} standard errors."
    )
    return Flag("AUDIT_DISAGREES", strength, 1.0, strength >= 1.0, sentence)


def _check(official: np.ndarray, audit: np.ndarray, design: Design, entry: int) -> int:
    """Refuse what does not fit, and return the number of entries."""
    shape = np.shape(official)
    fits = len(shape) == 2 and shape == np.shape(audit) and shape[1] == design.n_pairs
    if not (fits and np.isfinite(official).all() and np.isfinite(audit).all() and 0 <= entry < shape[0]):
        raise InvalidTensor(
            f"audit: expected two finite tables of {design.n_pairs} pairs and an entry of them, found "
            f"{shape}, {np.shape(audit)}, {entry}."
        )
    return int(shape[0])


def _places_lost(draws: np.ndarray, entry: int) -> int:
    """Count the sure places lost from the first to the second of two boards, from draws (2, E, B) of their means."""
    low, high = np.percentile(draws[:, [entry]] - draws, [5.0, 95.0], axis=2)  # (2, E) each
    leads, trails = low > 0, high < 0
    return int((leads[0] & trails[1]).sum()) - int((trails[0] & leads[1]).sum())


def _excess(means: np.ndarray, error: float, entry: int) -> float:
    official, audit = means
    others = np.arange(official.size) != entry
    if np.ptp(audit[others]) == 0:
        slope, start = 0.0, float(np.median(official[others]))
    else:
        slope, start = theilslopes(official[others], audit[others])[:2]
    rest = official - (start + slope * audit)  # (E,)
    spread = _MAD_TO_DEVIATION * float(np.median(np.abs(rest[others])))
    return float(rest[entry] / max(1e-9, float(np.hypot(error, spread))))
