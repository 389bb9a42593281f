"""Scores of parts of a board: a style family, a culture, a kind of content; pure functions like `ranking`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from competitions.ranking import HEADLINE, SEED, Entry, Interval, PairDesign
from evaluation.aggregate import values_by_id
from evaluation.statistics.bootstrap import DRAWS
from evaluation.statistics.design import Design
from evaluation.statistics.slices import Slice, slice_scores

AXES = ("style_family", "culture", "content_kind")


@dataclass(frozen=True)
class SliceSize:
    """How many pairs and style images a slice has; a thin one has too few for a rank or an interval."""

    n_pairs: int
    n_styles: int
    is_thin: bool


@dataclass(frozen=True)
class SlicedBoard:
    """The slices of each axis, and the headline of each entry in those that are not thin.

    `sizes` is axis -> label -> size, `scores` key of the entry -> axis -> label -> interval. An axis with a single
    label is left out: its slice is the whole board.
    """

    sizes: Mapping[str, Mapping[str, SliceSize]]
    scores: Mapping[str, Mapping[str, Mapping[str, Interval]]]


def slice_entries(
    entries: Sequence[Entry],
    pairs: Sequence[PairDesign],
    labels: Mapping[str, Sequence[str]],
    *,
    seed: int = SEED,
    draws: int = DRAWS,
) -> SlicedBoard:
    """Score every entry on each slice, with the bootstrap draws of the whole board.

    `labels` names an axis and gives one label per pair, in the order of `pairs`. Thin slices get a size alone: a
    number over few pairs says more than it knows, and might give a hidden pair away.
    """
    split = {axis: values for axis, values in labels.items() if len(set(values)) > 1}
    if not entries or not split:
        return SlicedBoard({}, {})
    design = Design(
        tuple(pair.style for pair in pairs),
        tuple(pair.content for pair in pairs),
        tuple(pair.culture for pair in pairs),
    )
    names = [pair.name for pair in pairs]
    values = np.array([values_by_id(entry.scores, names, HEADLINE) for entry in entries])
    sizes: dict[str, dict[str, SliceSize]] = {}
    scores: dict[str, dict[str, dict[str, Interval]]] = {entry.key: {} for entry in entries}
    for axis, column in split.items():
        found = slice_scores(values, design, column, draws=draws, seed=seed)
        sizes[axis] = {one.label: SliceSize(one.n_pairs, one.n_styles, bool(one.reason)) for one in found}
        for place, entry in enumerate(entries):
            scores[entry.key][axis] = _intervals(found, place)
    return SlicedBoard(sizes, scores)


def _intervals(slices: Sequence[Slice], place: int) -> dict[str, Interval]:
    """Collect what one entry scores in the slices that are wide enough."""
    made = {}
    for one in slices:
        score = one.scores[place]
        if score.value is not None and score.low is not None and score.high is not None:
            made[one.label] = (score.value, score.low, score.high)
    return made
