"""The pairs that a report is about, as its labels tell them: enough for statistics, without any image file."""

from pathlib import Path

from evaluation.pairs import Pair
from evaluation.report import Report


def pairs_of_report(report: Report) -> tuple[Pair, ...]:
    """Return the pairs of a report in its order; they have digests and labels, but no paths."""
    return tuple(
        Pair(
            id=label.pair_id,
            content=Path(),
            style=Path(),
            content_sha256=label.content,
            style_sha256=label.style,
            split=label.split,
            style_family=label.style_family,
            culture=label.culture,
            content_kind=label.content_kind,
        )
        for label in report.labels
    )
