"""Look after runs from a shell: `manage.py runs list`, `show ID`, `requeue ID`, `cancel ID`."""

import dataclasses
import json
from argparse import ArgumentParser
from datetime import datetime

from django.core.management.base import BaseCommand
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from competitions.management.refusals import as_command_errors
from competitions.selectors.runs import RunLine, RunReport, find_run, list_runs, report_run
from competitions.services import moderation

ACTOR = "operator"


class Command(BaseCommand):
    """Read from selectors, act through services; ids may be cut short."""

    help = "List, show, requeue and cancel runs"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take one of four actions."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        listing = actions.add_parser("list", help="the newest runs")
        listing.add_argument("--state", default="", help="for example queued or generating")
        listing.add_argument("--phase", default="", metavar="COMPETITION[/PHASE]")
        listing.add_argument("--team", default="", help="the team's slug")
        showing = actions.add_parser("show", help="everything about one run")
        for each in (listing, showing):
            each.add_argument("--json", action="store_true", dest="as_json")
        requeue = actions.add_parser(
            "requeue", help="a waiting run at once, one of a silent worker by another, one that we broke anew"
        )
        requeue.add_argument(
            "--force", action="store_true", help="take it from its worker, or repeat any end"
        )
        cancel = actions.add_parser("cancel", help="end a live run; the team pays nothing")
        cancel.add_argument("--reason", default="", help="stands in the run's history")
        for each in (showing, requeue, cancel):
            each.add_argument("id", help="the id of a run, or its beginning")

    def handle(self, *, action: str, **options: object) -> None:
        """Do one thing and say what came of it."""
        with as_command_errors():
            text = _ACTIONS[action](options)
        self.stdout.write(text)


def _list(options: dict[str, object]) -> str:
    lines = list_runs(**{name: str(options[name]) for name in ("state", "phase", "team")})
    if options["as_json"]:
        return _json([dataclasses.asdict(line) for line in lines])
    return "\n".join(_in_one_line(line) for line in lines) or "There are no such runs."


def _show(options: dict[str, object]) -> str:
    report = report_run(find_run(str(options["id"])))
    return _json(dataclasses.asdict(report)) if options["as_json"] else _in_full(report)


def _requeue(options: dict[str, object]) -> str:
    run_id = find_run(str(options["id"]))
    run = moderation.requeue(run_id=run_id, actor=ACTOR, is_forced=bool(options["force"]))
    return f"{run.pk}: queued" + (f" in place of {run_id}" if run.pk != run_id else "")


def _cancel(options: dict[str, object]) -> str:
    run = moderation.stop_run(run_id=find_run(str(options["id"])), actor=ACTOR, reason=str(options["reason"]))
    return f"{run.pk}: cancelled"


_ACTIONS = {"list": _list, "show": _show, "requeue": _requeue, "cancel": _cancel}


def _json(value: object) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, indent=2)


def _in_one_line(line: RunLine) -> str:
    since = line.finished_at or line.started_at or line.queued_at
    where = f"{line.competition}/{line.phase}"
    parts = (
        str(line.id)[:8],
        f"{line.state:<10}",
        f"{line.purpose:<7}",
        f"{_ago(since):>5}",
        f"{line.pairs_done}/{line.pairs_total}",
        f"try {line.attempts}",
        where,
        line.team or "baseline",
        line.submission,
        line.failure_code or line.worker,
    )
    return "  ".join(parts).rstrip()


def _in_full(report: RunReport) -> str:
    facts: dict[str, object] = {
        "run": report.line.id,
        "submission": report.submission_id,
        "suite": report.suite,
        "order": f"priority {report.priority}, turn {report.turn}, place {report.place or 'none'}",
        "asks for": ", ".join(f"{name} {value}" for name, value in report.needs.items()),
        "said to start": report.estimated_start_at,
        "waits until": report.not_before,
        "waits because": f"{report.waiting.reason} {report.waiting.advice}".strip(),
        "worker": report.line.worker,
        "fence": report.fence,
        "lease until": report.lease_expires_at,
        "sign of life": report.last_sign_of_life,
        "failure": f"{report.line.failure_code} {report.failure_detail}".strip(),
        "quota": report.quota,
    }
    lines = [_in_one_line(report.line), ""]
    lines += [f"{name + ':':<15}{_text(value)}" for name, value in facts.items() if value not in (None, "")]
    lines += ["", "history:"]
    for at, before, after, actor, detail in report.events:
        lines.append(f"  {at:%Y-%m-%d %H:%M:%S}  {before or '-'} -> {after}  {actor}  {detail}".rstrip())
    if report.log:
        lines += ["", "end of the log:", report.log.rstrip()]
    return "\n".join(lines)


def _text(value: object) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S} UTC ({_ago(value)})" if isinstance(value, datetime) else str(value)


def _ago(at: datetime) -> str:
    """Write how long ago a moment was, or how far ahead it lies, in the unit that fits."""
    seconds = (timezone.now() - at).total_seconds()
    size, sign = abs(seconds), "" if seconds >= 0 else "+"
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if size >= length:
            return f"{sign}{size / length:.0f}{unit}"
    return f"{sign}{size:.0f}s"
