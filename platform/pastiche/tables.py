"""Tables on the terminal: competitions, boards, results. Full precision is in the JSON and CSV forms."""

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from pastiche.comparison import Difference
from pastiche.language import say
from pastiche.organizers import Difference as FileDifference
from pastiche.organizers import DryRun, Report
from pastiche.responses import (
    Board,
    Competition,
    CompetitionDetail,
    Estimate,
    PhaseDetail,
    Row,
    Scores,
)
from pastiche.text import interval, moment, number, plain

SHOWN = 40  # letters of a value in a table


def competition_table(competitions: Iterable[Competition]) -> Table:
    """List competitions, one a line."""
    table = _table("competition", "title", "state", "closes", "public pairs", "hidden pairs")
    for row in competitions:
        counts = ("-" if n is None else str(n) for n in (row.n_public, row.n_hidden))
        _add(table, row.slug, row.title, row.state or "-", moment(row.closes_at), *counts)
    return table


def phase_table(competition: CompetitionDetail) -> Table:
    """List the phases of a competition with window and limits."""
    table = _table("phase", "title", "state", "opens", "closes", "runs a day", "limits")
    for phase in competition.phases:
        limits = ", ".join(f"{name} {value}" for name, value in phase.limits.items())
        window = (moment(phase.opens_at), moment(phase.closes_at))
        _add(table, phase.slug, phase.title, phase.state, *window, str(phase.runs_per_day), limits)
    return table


def metric_table(competition: CompetitionDetail) -> Table:
    """List the metrics with what each cannot see."""
    table = _table("metric", "title", "better", "unit", "cannot see")
    for metric in competition.metrics:
        _add(table, metric.name, metric.title, metric.direction, metric.unit, metric.misses)
    return table


def change_table(difference: FileDifference) -> Table:
    """List the fields that an import changes; locked ones stay as they are since publishing."""
    table = _table("field", "before", "after", "published")
    for change in difference.changes:
        values = (_short(value) for value in (change.before, change.after))
        _add(table, change.field, *values, change.freedom or "-")
    return table


def finding_table(report: Report) -> Table:
    """List what was found in the files of a dataset."""
    table = _table("weight", "code", "file", "what", "advice")
    for found in report.findings:
        what = f"{found.sentence} {found.detail}".strip()
        _add(table, found.weight, found.code, found.file, what, found.advice)
    return table


def trial_table(found: DryRun) -> Table:
    """List the baselines of a dry run, how far each is and what it scored."""
    table = _table("name", "state", "pairs", "headline", "95 %")
    for trial in found.trials:
        pairs = f"{trial.pairs_done} / {trial.pairs_total}"
        scored = trial.scores.get("headline", Estimate(value=None))
        state = say(trial.state) + (f" ({trial.failure_code})" if trial.failure_code else "")
        _add(table, trial.name, state, pairs, number(scored.value), interval(scored.low, scored.high))
    return table


def board_table(board: Board) -> Table:
    """List the rows of a board; rows that share a rank are not told apart by the data."""
    table = _table(
        "rank", "name", "team", "headline", "95 %", "content", "style", "s/image", title=board.competition
    )
    for row in board.rows:
        between = interval(row.headline_low, row.headline_high)
        marks = map(number, (row.content, row.style, row.seconds_per_image))
        _add(table, _rank(row), row.name, row.team or row.kind, number(row.headline), between, *marks)
    return table


def score_table(scores: Scores) -> Table:
    """List the metrics of a run with their intervals."""
    counts = say("{valid} of {n} pairs valid", valid=scores.n_valid, n=scores.n)
    title = f"{scores.suite}: {counts}"
    table = _table("metric", "value", "95 %", title=title)
    for name, estimate in scores.scores.items():
        _add(table, name, number(estimate.value), interval(estimate.low, estimate.high))
    return table


def difference_table(differences: Iterable[Difference]) -> Table:
    """List what two runs differ in; `pairs` says on how many public pairs the second one has the larger value."""
    table = _table("metric", "first", "second", "difference", "second larger on public pairs")
    for row in differences:
        share = f"{row.n_larger} / {row.n_pairs}" if row.n_pairs else "-"
        _add(table, row.metric, *map(number, (row.first, row.second, row.difference)), share)
    return table


def rule_table(phase: PhaseDetail) -> Table:
    """List what a phase allows, and what a rank takes."""
    table = _table("rule", "value")
    rows = {
        "window": f"{moment(phase.opens_at)} - {moment(phase.closes_at)} ({phase.state})",
        "runs a day": str(phase.runs_per_day),
        "runs in all": str(phase.runs_total or "-"),
        "what counts": phase.counting,
        "pairs with a valid output": f"{phase.required_coverage:.0%}",
        "public pairs": str(phase.n_public),
        "hidden pairs": str(phase.n_hidden),
        "suite": f"{phase.suite} (sha256 {phase.suite_digest})",
    }
    for name, value in rows.items():
        _add(table, say(name), value)
    for name, limit in phase.limits.items():
        _add(table, name, str(limit))
    return table


def _rank(row: Row) -> str:
    if row.rank is None:
        return "-"
    spread = (row.rank_low, row.rank_high)
    return (
        str(row.rank) if None in spread or spread[0] == spread[1] else f"{row.rank} ({spread[0]}-{spread[1]})"
    )


def _table(*columns: str, title: str = "") -> Table:
    table = Table(title=Text(plain(title)) if title else None, box=None, pad_edge=False, title_justify="left")
    for column in columns:
        table.add_column(say(column), overflow="fold")
    return table


def _add(table: Table, *cells: str) -> None:
    table.add_row(*(Text(plain(cell)) for cell in cells))


def _short(value: str | None) -> str:
    if value is None:
        return "-"
    line = " ".join(value.split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}…"
