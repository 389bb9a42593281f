"""Entries that a second network, which nobody could tune to, ranks much lower than the official one."""

import numpy as np
from scipy.stats import rankdata, theilslopes

from evaluation.errors import InvalidTensor
from evaluation.gaming.flag import Flag

PLACES, ERRORS = 4, 2.0
LEAST_ENTRIES = 8
_MAD_TO_DEVIATION = 1.4826  # of a normal distribution


def flag_audit(official: np.ndarray, audit: np.ndarray, errors: np.ndarray, *, entry: int) -> Flag:
    """Raise AUDIT_DISAGREES where an entry stands out under the official network and not under the audit network.

    The two networks have different scales, so the score to expect is a robust line through all other entries, from
    audit to official headline. The excess is counted in ``sqrt(error^2 + spread^2)``, where the spread is that of the
    others around the line (1.4826 times the median of the distances). Only an official score that is too good counts.

    Args:
        official: headline of each entry under the official suite, float (E,), in [0, 1].
        audit: headline of the same entries under the audit suite, float (E,), in [0, 1].
        errors: standard errors of `official`, float (E,).
        entry: index of the entry to judge.

    Returns:
        the flag; strength is the larger of (places lost) / 4 and (excess in standard errors) / 2, raised from 1 among
        at least 8 entries. Ties share the middle place.

    Raises:
        InvalidTensor: columns of different lengths, values that are not finite, or no such entry.

    Source: line by Theil 1950 and Sen 1968.
    """
    columns = np.array([official, audit, errors], dtype=np.float64)  # (3, E)
    count = columns.shape[-1]
    if columns.ndim != 2 or not np.isfinite(columns).all() or not 0 <= entry < count:
        raise InvalidTensor(
            f"audit: expected three finite columns and an entry of them, found {columns.shape}."
        )
    if count < LEAST_ENTRIES:
        sentence = f"There are {count} entries; two networks are compared from {LEAST_ENTRIES} on."
        return Flag("AUDIT_DISAGREES", 0.0, 1.0, False, sentence)
    ranks = rankdata(-columns[:2], axis=1)  # 1 is best
    lost = float(ranks[1, entry] - ranks[0, entry])
    excess = _excess(columns, entry)
    strength = max(0.0, lost / PLACES, excess / ERRORS)
    sentence = (
        f"Of {count} entries it is number {ranks[0, entry]:.0f} under the official network and number "
        f"{ranks[1, entry]:.0f} under the audit network; its headline is {excess:+.1f} standard errors away from what "
        f"the audit lets expect. Raised from {PLACES} places lost or {ERRORS:+.0f} standard errors."
    )
    return Flag("AUDIT_DISAGREES", strength, 1.0, strength >= 1.0, sentence)


def _excess(columns: np.ndarray, entry: int) -> float:
    official, audit, errors = columns
    others = np.arange(columns.shape[1]) != entry
    if np.ptp(audit[others]) == 0:
        slope, start = 0.0, float(np.median(official[others]))
    else:
        slope, start = theilslopes(official[others], audit[others])[:2]
    rest = official - (start + slope * audit)  # (E,)
    spread = _MAD_TO_DEVIATION * float(np.median(np.abs(rest[others])))
    return float(rest[entry] / max(1e-9, float(np.hypot(errors[entry], spread))))
