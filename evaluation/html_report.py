"""A report as one HTML file that needs nothing else: no script, no request, light and dark, narrow and wide."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from evaluation.aggregate import coverage, value_row
from evaluation.charts import plot_histogram, plot_scatter
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.number_text import interval_text, number_text, unit_text
from evaluation.problems import Problem
from evaluation.report import Report
from evaluation.report_pairs import pairs_of_report
from evaluation.report_pictures import Example
from evaluation.spec import MetricSuite
from evaluation.statistics.design import design_of
from evaluation.statistics.slices import Gap, Label, Slice, pair_labels, slice_gap, slice_scores

SEED = 20_260_101
MOST_ROWS = 1000  # of the list of pairs
MOST_PROBLEMS = 200
SLICED_BY: Mapping[Label, str] = {
    "style_family": "Style family",
    "culture": "Culture",
    "content_kind": "Kind of content",
}


@dataclass(frozen=True)
class Extras:
    """What a page shows beside the report: pictures, problems with files, and where the numbers come from.

    `name` says in a few words what was scored.
    """

    name: str
    worst: Sequence[Example] = ()
    best: Sequence[Example] = ()
    problems: Sequence[Problem] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)


def render_html(report: Report, suite: MetricSuite, extras: Extras) -> str:
    """Write a report as one HTML page; whatever comes from files is escaped.

    The page forbids itself scripts and requests by its own content security policy.
    """
    environment = Environment(
        loader=PackageLoader("evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    css = environment.get_template("report.css").render()
    pairs = pairs_of_report(report)
    rows = {row.metric: row for row in report.rows if not row.split}
    headlines = [pair.values["headline"] for pair in report.pairs if not pair.invalid]
    slices, gap = _slices(report)
    return environment.get_template("report.html.j2").render(
        css=Markup(css),  # our own file, so nothing in it needs escaping
        css_digest=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
        report=report,
        suite=suite,
        extras=extras,
        headline=rows.get("headline"),
        covered=coverage(report.pairs, pairs, suite.max_invalid_share),
        scatter=plot_scatter(report, suite.style_weight),
        bars=plot_histogram(headlines),
        slices=slices,
        gap=gap,
        labels={pair.id: pair for pair in pairs},
        specs=METRIC_SPECS,
        number=number_text,
        interval=interval_text,
        unit=unit_text,
        most_rows=MOST_ROWS,
        most_problems=MOST_PROBLEMS,
    )


def _slices(report: Report) -> tuple[dict[str, tuple[Slice, ...]], Gap | None]:
    """Score the headline by each label, and measure the gap between cultures; nothing without a valid output."""
    if not report.n_valid:
        return {}, None
    pairs = pairs_of_report(report)
    values, design = value_row(report.pairs, pairs, "headline"), design_of(pairs)
    slices = {
        title: slice_scores(values[None], design, pair_labels(pairs, by), seed=SEED)
        for by, title in SLICED_BY.items()
    }
    return slices, slice_gap(values, design, pair_labels(pairs, "culture"), seed=SEED)
