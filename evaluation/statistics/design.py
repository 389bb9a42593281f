"""Which images a pair joins: what every statistic needs to know of a dataset, and the means it averages to."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evaluation.aggregate import hierarchical_weights
from evaluation.errors import InvalidTensor
from evaluation.pairs import Pair


@dataclass(frozen=True)
class Design:
    """The style image, the content image and the culture of each pair, in the order of the values.

    Styles are numbered in the order of their names; one style belongs to one culture.
    """

    styles: tuple[str, ...]
    contents: tuple[str, ...]
    cultures: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse columns of different lengths, no pairs, and a style that stands in two cultures."""
        lengths = len(self.styles), len(self.contents), len(self.cultures)
        if len(set(lengths)) > 1 or not self.styles:
            raise InvalidTensor(f"design: expected three columns of one length above 0, found {lengths}.")
        if (self.culture_of_style[self.style_of_pair] != self.culture_of_pair).any():
            raise InvalidTensor("design: a style image stands in two cultures.")

    @property
    def n_pairs(self) -> int:
        """Count the pairs."""
        return len(self.styles)

    @property
    def n_styles(self) -> int:
        """Count the style images."""
        return self.culture_of_style.size

    @property
    def n_contents(self) -> int:
        """Count the content images."""
        return int(self.content_of_pair.max()) + 1

    @cached_property
    def style_of_pair(self) -> np.ndarray:
        """Return the number of each pair's style, int64 (P,)."""
        return _numbered(self.styles)

    @cached_property
    def content_of_pair(self) -> np.ndarray:
        """Return the number of each pair's content, int64 (P,)."""
        return _numbered(self.contents)

    @cached_property
    def culture_of_pair(self) -> np.ndarray:
        """Return the number of each pair's culture, int64 (P,)."""
        return _numbered(self.cultures)

    @cached_property
    def culture_of_style(self) -> np.ndarray:
        """Return the number of each style's culture, int64 (S,)."""
        cultures = np.zeros(int(self.style_of_pair.max()) + 1, dtype=np.int64)
        cultures[self.style_of_pair] = self.culture_of_pair
        return cultures

    @cached_property
    def style_weights(self) -> np.ndarray:
        """Return the weight of each style in the mean over styles, then cultures: float64 (S,), sum 1."""
        sizes = np.bincount(self.culture_of_style)
        return np.asarray(1.0 / (sizes[self.culture_of_style] * sizes.size))

    def select(self, is_chosen: np.ndarray) -> "Design":
        """Return the design of the chosen pairs, bool (P,)."""
        chosen = np.flatnonzero(is_chosen).tolist()
        return Design(
            tuple(self.styles[pair] for pair in chosen),
            tuple(self.contents[pair] for pair in chosen),
            tuple(self.cultures[pair] for pair in chosen),
        )

    def means(self, values: np.ndarray) -> np.ndarray:
        """Average each row over the contents of a style, then over styles, then over cultures.

        Args:
            values: float (E, P); NaN marks a missing value, which is left out.

        Returns:
            float64 (E,), NaN for a row without any value; a row depends on its own values alone, bit for bit.

        Raises:
            InvalidTensor: the shape does not fit.
        """
        rows = self.check(values)
        return np.array([self._mean(row) for row in rows], dtype=np.float64)

    def style_means(self, values: np.ndarray) -> np.ndarray:
        """Average each row over the contents of each style.

        Args:
            values: float (E, P); NaN marks a missing value, which is left out.

        Returns:
            float64 (E, S), NaN where a style has no value; a row depends on its own values alone, bit for bit.

        Raises:
            InvalidTensor: the shape does not fit.
        """
        rows = self.check(values)
        is_present = np.isfinite(rows)
        filled = np.where(is_present, rows, 0.0)
        sums, counts = np.zeros((2, rows.shape[0], self.n_styles))
        for pair in np.lexsort((self.content_of_pair, self.style_of_pair)):  # one at a time: see `_mean`
            sums[:, self.style_of_pair[pair]] += filled[:, pair]
            counts[:, self.style_of_pair[pair]] += is_present[:, pair]
        return np.where(counts > 0, sums / np.where(counts > 0, counts, 1), np.nan)

    def check(self, values: np.ndarray) -> np.ndarray:
        """Return `values` as float64 (E, P).

        Raises:
            InvalidTensor: the shape does not fit, or a value is infinite.
        """
        rows = np.asarray(values, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != self.n_pairs or np.isinf(rows).any():
            raise InvalidTensor(f"statistics: expected finite (entries, {self.n_pairs}), found {rows.shape}.")
        return rows

    def _mean(self, row: np.ndarray) -> float:
        is_present = np.isfinite(row)
        if not is_present.any():
            return float("nan")
        if is_present.all():
            weights = self._complete_weights
        else:
            weights = hierarchical_weights(is_present, self.styles, self.cultures)
        # an exact sum: with np.dot equal rows could differ in their last bits, by where they lie in memory
        return math.fsum((weights * np.nan_to_num(row)).tolist())

    @cached_property
    def _complete_weights(self) -> np.ndarray:
        return hierarchical_weights(np.ones(self.n_pairs, dtype=bool), self.styles, self.cultures)


def design_of(pairs: Sequence[Pair]) -> Design:
    """Return the design of the pairs of a dataset; an image is known by its digest.

    Raises:
        InvalidTensor: no pairs, or a style image that stands in two cultures.
    """
    return Design(
        tuple(pair.style_sha256 for pair in pairs),
        tuple(pair.content_sha256 for pair in pairs),
        tuple(pair.culture for pair in pairs),
    )


def _numbered(names: Sequence[str]) -> np.ndarray:
    return np.unique(np.asarray(names, dtype=str), return_inverse=True)[1]
