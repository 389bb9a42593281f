"""The commands `suites` and `metrics`: what can be scored, by which formula, and what that misses."""

import inspect
import json

import click
from rich.console import Console
from rich.table import Table

from evaluation.measures import FORMULAS
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.spec import MetricSpec
from evaluation.suite_files import check_suite_files


def print_suites(*, as_json: bool) -> None:
    """List the suites of the library, after checking that each can be computed.

    Raises:
        InvalidSuite: a suite file was changed.
    """
    suites = check_suite_files()
    if as_json:
        click.echo(json.dumps([json.loads(s.to_json()) | {"id": s.id, "digest": s.digest} for s in suites]))
        return
    for suite in suites:
        click.echo(f"{suite.id}: {suite.title}; {suite.size} pixels, backbone {suite.backbone}")
        click.echo(f"  content: {', '.join(suite.content_parts)}; style: {', '.join(suite.style_parts)}")
        click.echo(f"  further columns: {', '.join(suite.columns)}; digest {suite.digest[:12]}")


def print_metrics() -> None:
    """List all metrics, one line each."""
    table = Table("metric", "title", "family", "better", "unit", "range")
    for spec in METRIC_SPECS.values():
        table.add_row(spec.name, spec.title, spec.family, spec.direction, spec.unit, _range(spec))
    Console().print(table)


def explain_metric(name: str) -> None:
    """Print one metric: its formula, range, direction, source, and what it cannot see.

    Raises:
        click.BadParameter: no such metric.
    """
    if name not in METRIC_SPECS:
        raise click.BadParameter(f"There is no metric {name!r}. Known: {', '.join(METRIC_SPECS)}.")
    spec = METRIC_SPECS[name]
    unit = f" {spec.unit}" if spec.unit else ""
    click.echo(f"{spec.title} ({spec.name}), {spec.direction} is better, range {_range(spec)}{unit}\n")
    if name in FORMULAS:
        click.echo(f"{inspect.getdoc(FORMULAS[name])}\n")
    click.echo(f"In short: {spec.source}.\nMisses: {spec.misses}")


def _range(spec: MetricSpec) -> str:
    low = "-inf" if spec.minimum is None else f"{spec.minimum:g}"
    high = "inf" if spec.maximum is None else f"{spec.maximum:g}"
    return f"{low} to {high}"
