"""The review of one entry that raises flags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.aggregate import value_row
from evaluation.errors import InvalidPairs
from evaluation.gaming.adversarial import flag_jitter_gain
from evaluation.gaming.audit import flag_audit
from evaluation.gaming.copies import flag_copies, measure_overlap
from evaluation.gaming.flag import Flag
from evaluation.gaming.indifference import flag_ignored_content, flag_ignored_style
from evaluation.gaming.memorization import flag_memorization
from evaluation.gaming.quilting import flag_quilt, quilted_share
from evaluation.images import read_rgb
from evaluation.pairs import Pair
from evaluation.report import PairScore
from evaluation.statistics.design import Design, design_of


@dataclass(frozen=True)
class Standing:
    """The headlines of all entries on the pairs of `design`, (E, P) under each suite, and which entry is reviewed."""

    official: np.ndarray
    audit: np.ndarray
    design: Design
    entry: int


def review_outputs(
    pairs: Sequence[Pair],
    outputs: Mapping[str, np.ndarray],
    scores: Sequence[PairScore],
    *,
    usual: Mapping[str, float] | None = None,
    standing: Standing | None = None,
    most: int = 24,
    seed: int = 0,
) -> tuple[Flag, ...]:
    """Look for every sign of `evaluation.gaming.flag.FLAGS` in the outputs and scores of one entry.

    Args:
        pairs: of the dataset; those without an output or a valid score are passed over.
        outputs: pair id -> uint8 (H, W, 3).
        scores: of the entry, with ``style`` and, for ADVERSARIAL, ``jitter_gain``.
        usual: pair id -> style score that entries usually have there, for MEMORIZES.
        standing: for AUDIT_DISAGREES.
        most: pairs that are compared with their images pixel by pixel, drawn at random; the rest looks at all pairs.
        seed: of that draw.

    Returns:
        the flags in the order of `FLAGS`, raised or not; a sign that needs what was not given is left out.

    Raises:
        InvalidPairs: no pair has an output and a score, or an image of the dataset cannot be read.
    """
    valid = {score.pair_id: score for score in scores if not score.invalid}
    known = [pair for pair in pairs if pair.id in outputs and pair.id in valid]
    if not known:
        raise InvalidPairs("No pair has both an output and a score, so there is nothing to review.")
    styles = {pair.style_sha256: read_rgb(pair.style) for pair in known}
    contents = {pair.content_sha256: read_rgb(pair.content) for pair in known}
    chosen = np.random.default_rng(seed).permutation(len(known))[:most]
    sample = [known[index] for index in sorted(chosen.tolist())]
    overlaps = [
        measure_overlap(outputs[p.id], contents[p.content_sha256], styles[p.style_sha256]) for p in sample
    ]
    shares = [quilted_share(outputs[p.id], styles[p.style_sha256], seed + k) for k, p in enumerate(sample)]
    columns = ([pair.style_sha256 for pair in known], [pair.content_sha256 for pair in known])
    pictures = [outputs[pair.id] for pair in known]
    return (
        *flag_copies(overlaps, [valid[pair.id].values["style"] for pair in sample]),
        flag_quilt(shares),
        flag_ignored_style(pictures, *columns, styles),
        flag_ignored_content(pictures, *columns, contents),
        *_flag_scores(known, list(valid.values()), usual, standing),
    )


def _flag_scores(
    pairs: Sequence[Pair],
    scores: Sequence[PairScore],
    usual: Mapping[str, float] | None,
    standing: Standing | None,
) -> list[Flag]:
    found, design = [], design_of(pairs)
    is_public = np.array([pair.split == "public" for pair in pairs])
    if usual is not None and 0 < is_public.sum() < len(pairs):
        row = value_row(scores, pairs, "style")
        expected = np.array([usual[pair.id] for pair in pairs])
        found.append(flag_memorization(row, is_public, design, usual=expected))
    gains = value_row(scores, pairs, "jitter_gain")
    if np.isfinite(gains).any():
        found.append(flag_jitter_gain(gains, design))
    if standing is not None:
        found.append(flag_audit(standing.official, standing.audit, standing.design, entry=standing.entry))
    return found
