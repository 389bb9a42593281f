"""The command `compare`: two reports about the same pairs, their difference and how sure it is."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table

from evaluation.errors import InvalidReport
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.number_text import HUNDREDFOLD, number_text
from evaluation.pairs import Pair
from evaluation.report import Report
from evaluation.report_pairs import pairs_of_report
from evaluation.spec import Direction
from evaluation.statistics.comparison import Comparison, PairDifference, compare_runs
from evaluation.statistics.groups import MARGIN
from evaluation.tables import print_table

SEED = 20_260_101


def run_compare(paths: tuple[Path, Path], metric: str, *, as_json: bool) -> None:
    """Compare two reports on one metric and print difference, interval, p, and the pairs furthest apart.

    Raises:
        InvalidReport: a file is no report, or the reports are of different suites or datasets.
        InvalidSuite: a metric that the reports do not have.
    """
    first, second = (_read_report(path) for path in paths)
    _check_same(paths, first, second)
    pairs = pairs_of_report(first)
    found = compare_runs(first, second, pairs, metric=metric, seed=SEED)
    if as_json:
        named = {"files": [str(path) for path in paths], "suite_digest": first.suite_digest}
        click.echo(json.dumps(asdict(found) | named | {"dataset_digest": first.dataset_digest}, indent=1))
        return
    _print_summary(found, paths, first)
    for title, rows in (("A furthest ahead", found.wins), ("B furthest ahead", found.losses)):
        if rows:
            _print_pairs(title, metric, rows, pairs)


def _read_report(path: Path) -> Report:
    try:
        return Report.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidReport(f"{path} cannot be read: {error}.") from error
    except InvalidReport as error:
        raise InvalidReport(f"{path}: {error.message}", fix=error.fix) from error


def _check_same(paths: tuple[Path, Path], first: Report, second: Report) -> None:
    """Refuse reports whose numbers do not compare; the message names both files and what differs."""
    if first.suite_digest != second.suite_digest:
        named = [
            f"{path} was scored under {report.suite_id} (digest {report.suite_digest[:12]})"
            for path, report in zip(paths, (first, second), strict=True)
        ]
        raise InvalidReport(
            f"{', '.join(named)}.", fix="Score both under the same suite, with the same loss weights."
        )
    if first.dataset_digest != second.dataset_digest:
        named = [
            f"{path} is about dataset {report.dataset_digest[:12]} ({len(report.pairs)} pairs)"
            for path, report in zip(paths, (first, second), strict=True)
        ]
        raise InvalidReport(f"{', '.join(named)}.", fix="Score both on the same dataset folder and split.")


def _print_summary(found: Comparison, paths: tuple[Path, Path], report: Report) -> None:
    spec = METRIC_SPECS[found.metric]
    click.echo(
        f"{spec.title} ({found.metric}), {found.direction} is better: "
        f"{found.n_pairs} pairs of {found.n_styles} styles under {report.suite_id}"
    )
    for letter, path, value in zip("AB", paths, (found.first, found.second), strict=True):
        click.echo(f"  {letter}      {number_text(found.metric, value):>8}  {path}")
    interval = (
        "no interval with so few styles"
        if found.low is None or found.high is None
        else f"95 % interval {_signed(found.metric, found.low)} to {_signed(found.metric, found.high)}"
    )
    p_value = (
        "no p with fewer than 10 styles" if found.p is None else f"p = {found.p:.2g} (sign flips of styles)"
    )
    click.echo(f"  A - B  {_signed(found.metric, found.difference):>8}  {interval}; {p_value}")
    click.echo(_verdict(found))


def _verdict(found: Comparison) -> str:
    if found.low is None or found.high is None:
        return "Too few styles to tell whether the difference is more than chance."
    if found.low <= 0 <= found.high:
        return "Other styles and contents could turn the difference around."
    if METRIC_SPECS[found.metric].unit == HUNDREDFOLD and abs(found.difference) < MARGIN:
        return "The difference is sure, but less than 1 of 100: a tie in practice."
    is_first = (found.difference > 0) == (found.direction is Direction.HIGHER)
    return f"{'A' if is_first else 'B'} is better, and other pairs would hardly turn that around."


def _print_pairs(title: str, metric: str, rows: Sequence[PairDifference], pairs: Sequence[Pair]) -> None:
    by_id = {pair.id: pair for pair in pairs}
    table = Table("pair", "A", "B", "A - B", "style family", "culture", "content", title=title)
    for row in rows:
        pair = by_id[row.pair_id]
        values = (number_text(metric, row.first), number_text(metric, row.second))
        labels = (pair.style_family, pair.culture, pair.content_kind)
        table.add_row(row.pair_id, *values, _signed(metric, row.difference), *labels)
    print_table(table)


def _signed(metric: str, difference: float) -> str:
    text = number_text(metric, difference)
    return text if text.startswith("-") else f"+{text}"
