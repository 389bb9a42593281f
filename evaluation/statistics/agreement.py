"""Robustness of an order: how the board would look under other ways to sum up, and how far these agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from evaluation.errors import InvalidSuite, InvalidTensor
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.spec import Direction


@dataclass(frozen=True)
class View:
    """One way to order the entries: rank of each, 1 is best, ties share the mean rank.

    `tau` is Kendall's tau-b with the official order, -1 to 1, 1 is the same order; None when one of the two
    orders has ties only.
    """

    name: str
    ranks: tuple[float, ...]
    tau: float | None


def robustness_views(means: Mapping[str, Sequence[float]], metrics: Sequence[str]) -> tuple[View, ...]:
    """Order entries by the headline and by three other rules, and compare each with the first.

    - ``headline``: the official order;
    - ``mean rank``: over `metrics` (the same order as the Borda count);
    - ``median rank``: over `metrics`, which one odd metric cannot move;
    - ``arithmetic``: ``(C + S) / 2`` in place of the geometric mean.

    Ranks over metrics depend on who else entered, so they are a view and never the board.

    Args:
        means: metric -> float (E,), the board values, with ``headline``, ``content`` and ``style``.
        metrics: the metrics to take ranks over, e.g. the parts of a suite; directions are those of
            `METRIC_SPECS`.

    Returns:
        The four views, the official one first.

    Raises:
        InvalidSuite: an unknown metric, or one without means.
        InvalidTensor: columns of different lengths, none at all, NaN or infinity.

    Source: Kendall 1945 (tau-b), by scipy.
    """
    columns = {name: _column(means, name) for name in ("headline", "content", "style", *metrics)}
    if len({column.size for column in columns.values()}) > 1 or not metrics:
        raise InvalidTensor("agreement: expected at least one metric, and one mean per entry for each.")
    ranks = np.stack([_ranks(columns[name], METRIC_SPECS[name].direction) for name in metrics])  # (M, E)
    orders = {
        "headline": columns["headline"],
        "mean rank": -ranks.mean(axis=0),
        "median rank": -np.median(ranks, axis=0),
        "arithmetic": (columns["content"] + columns["style"]) / 2,
    }
    official = _ranks(columns["headline"], Direction.HIGHER)
    views = []
    for name, order in orders.items():
        view = _ranks(order, Direction.HIGHER)
        views.append(View(name, tuple(view.tolist()), _tau(official, view)))
    return tuple(views)


def _column(means: Mapping[str, Sequence[float]], name: str) -> np.ndarray:
    if name not in METRIC_SPECS or name not in means:
        raise InvalidSuite(f"agreement: there are no means of {name!r}.")
    column = np.asarray(means[name], dtype=np.float64)
    if column.ndim != 1 or column.size == 0 or not np.isfinite(column).all():
        raise InvalidTensor(f"agreement: expected one finite mean of {name} per entry, found {column.shape}.")
    return column


def _ranks(column: np.ndarray, direction: Direction) -> np.ndarray:
    ranks: np.ndarray = stats.rankdata(-column if direction is Direction.HIGHER else column)
    return ranks


def _tau(official: np.ndarray, view: np.ndarray) -> float | None:
    if np.unique(official).size < 2 or np.unique(view).size < 2:
        return None
    return float(stats.kendalltau(official, view).statistic)
