"""Scores that vanish when the picture is mirrored or moved by a pixel: made for the scorer, not for the eye."""

import numpy as np

from evaluation.gaming.flag import Flag
from evaluation.statistics.bootstrap import DRAWS, bootstrap_means
from evaluation.statistics.design import Design

THRESHOLD = 0.02
LEAST_PAIRS = 8
_SEED = 20_260_103


def flag_jitter_gain(gains: np.ndarray, design: Design) -> Flag:
    """Raise ADVERSARIAL where the headline is better on the picture as it is than on its jittered twins.

    Color transfers and feed-forward transfers gain 0.00 to 0.01, pixels optimized for the headline 0.03 to 0.15. A
    Gatys transfer through the scorer's own network is such an optimization, too, and gains 0.01 to 0.11: the flag says
    that part of the score is there for this network alone, not why. Pixels optimized under all jitters gain 0.01 to
    0.02 and pass; only a second network tells those.

    Args:
        gains: the metric ``jitter_gain`` of each pair, float (P,): H of the picture less the mean H of its jittered
            versions; NaN marks a missing value.
        design: the images of the P pairs.

    Returns:
        the flag; strength is the lower limit of the mean gain (one-sided 95 %, crossed bootstrap), in units of H,
        raised from 0.02 on at least 8 pairs.

    Raises:
        InvalidTensor: shapes that do not fit, or no value at all.
    """
    rows = np.asarray(gains, dtype=np.float64)[None]
    mean = float(design.means(rows)[0])
    low = float(np.percentile(bootstrap_means(rows, design, DRAWS, seed=_SEED)[0], 5.0))
    n = int(np.isfinite(rows).sum())
    sentence = (
        f"On {n} pairs the headline loses {mean:.3f} when pictures are mirrored, moved by a pixel or cropped, "
        f"and at least {low:.3f} with 95 % confidence; raised from {THRESHOLD}."
    )
    return Flag("ADVERSARIAL", low, THRESHOLD, n >= LEAST_PAIRS and low >= THRESHOLD, sentence)
