"""The commands `suites`, `metrics` and `explain`: what can be scored, by which formula, and what that misses."""

import inspect
import json
from collections.abc import Callable

import click
from rich.table import Table

from evaluation.measures import FORMULAS
from evaluation.metrics.registry import ANCHORED, METRIC_SPECS, metric_id
from evaluation.metrics.traps import TRAPS
from evaluation.number_text import range_text
from evaluation.set_measures import SET_MEASURES
from evaluation.spec import MetricSuite, load_suite, suite_ids
from evaluation.suite_files import check_suite_files
from evaluation.tables import print_table


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
        click.echo(f"  further columns: {', '.join((*suite.columns, *suite.set_columns))}")
        click.echo(f"  jitters: {', '.join(suite.jitters)}; digest {suite.digest[:12]}")


def print_metrics() -> None:
    """List all metrics, one line each."""
    table = Table("metric", "title", "family", "better", "range")
    for spec in METRIC_SPECS.values():
        table.add_row(spec.name, spec.title, spec.family, spec.direction, range_text(spec))
    print_table(table)


def explain_metric(name: str) -> None:
    """Print one metric: its formula, range, direction, source, traps, what it misses, its id under each suite.

    Raises:
        click.BadParameter: no such metric.
    """
    if name not in METRIC_SPECS:
        raise click.BadParameter(f"There is no metric {name!r}. Known: {', '.join(METRIC_SPECS)}.")
    spec = METRIC_SPECS[name]
    click.echo(f"{spec.title} ({spec.name}), {spec.direction} is better, range {range_text(spec)}\n")
    formula = formula_of(name)
    if formula is not None:
        click.echo(f"{inspect.getdoc(formula)}\n")
    click.echo(f"In short: {spec.source}.\nMisses: {spec.misses}")
    for trap in TRAPS.get(name, ()):
        click.echo(f"Trap: {trap}")
    ids = metric_ids(name)
    for suite_id, cited in ids.items():
        click.echo(f"Under {suite_id}: {cited}")
    if not ids:
        click.echo("In no suite of the library.")


def formula_of(name: str) -> Callable[..., object] | None:
    """Return the documented function that computes a metric; None for what is only measured, such as time."""
    return SET_MEASURES[name].formula if name in SET_MEASURES else FORMULAS.get(name)


def metric_ids(name: str) -> dict[str, str]:
    """Return suite id to metric id for the suites of the library that hold a metric."""
    suites = (load_suite(suite_id) for suite_id in suite_ids())
    return {suite.id: metric_id(suite, name) for suite in suites if name in _names(suite)}


def _names(suite: MetricSuite) -> set[str]:
    derived = {"jitter_gain"} if len(suite.jitters) > 1 else set()
    parts = (*suite.content_parts, *suite.style_parts)
    return {*ANCHORED, *parts, *suite.columns, *suite.set_columns, *derived}
