"""Gather what a submission's page shows: where its run stands, and what came out of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from competitions.selectors import output as selectors
from competitions.selectors import status as status_selectors
from competitions.selectors.competitions import PairView
from competitions.selectors.output import LogView, OutputView
from competitions.selectors.submissions import SubmissionView, WholeSubmission
from evaluation.metrics.registry import METRIC_SPECS
from frontend.stages import forecast, is_silent, poll_seconds, stages

OUTPUTS_AT_FIRST = 15  # pictures below the others load when somebody unfolds them
LOG_LINES = 200
LOG_PACE_SECONDS = 5
LOG_PACE_IN_QUEUE_SECONDS = 15


@dataclass(frozen=True)
class Fact:
    """One line of a run's provenance."""

    label: str
    value: str


def progress_context(submission: WholeSubmission, now: datetime) -> dict[str, object]:
    """Gather what changes while a run is live.

    Nothing in it depends on the clock alone, so that an unchanged run gives an unchanged fragment.
    """
    run = submission.run
    return {
        "submission": submission,
        "run": run,
        "stages": stages(submission, now),
        "forecast": forecast(run, run.last_sign_of_life or now),
        "poll": poll_seconds(run, now),
        "is_silent": is_silent(run, now, status_selectors.lease_seconds()),
        "platform": status_selectors.lately() if run.state == "queued" else None,
        "n_outputs": submission.n_outputs,
    }


def outputs_context(submission: WholeSubmission) -> dict[str, object]:
    """Gather the pictures that have landed; most news brings none, and then nothing is asked for."""
    outputs = selectors.public_outputs(submission) if submission.n_outputs else []
    shown = [(_pair(output), output.seconds) for output in outputs]
    n = len(shown) if submission.run.is_live else OUTPUTS_AT_FIRST  # what is new must not fold up again
    return {"first_outputs": shown[:n], "more_outputs": shown[n:]}


def result_context(submission: SubmissionView) -> dict[str, object]:
    """Gather the scores, best known first, and where they come from."""
    scores = selectors.run_scores(submission) if submission.run.state == "scored" else {}
    return {
        "scores": scores,
        "metrics": [spec for name, spec in METRIC_SPECS.items() if name in scores],
        "facts": facts(submission),
    }


def log_context(submission: SubmissionView, *, is_tail: bool) -> dict[str, object]:
    """Gather the log: all of it, or its last lines."""
    log = selectors.run_log(submission)
    lines = log.text.splitlines()
    return {
        "submission": submission,
        "log": log,
        "log_text": "\n".join(lines[-LOG_LINES:]) if is_tail else log.text,
        "is_tail": is_tail,
        "is_cut": is_tail and len(lines) > LOG_LINES,
        "log_poll": _log_pace(submission, log),
    }


def facts(submission: SubmissionView) -> list[Fact]:
    """List what somebody needs to repeat the run."""
    known = dict(submission.run.provenance)
    sandboxed = known.pop("is_sandboxed", None)
    made = [Fact(_("Archive (sha256)"), submission.archive_sha256)]
    if sandboxed is not None:
        made.append(Fact(_("Isolation"), _("in a sandbox") if sandboxed else _("without a sandbox")))
    known.pop("archive", None)
    labels = _labels()
    for key, value in known.items():
        if value in ({}, [], "", None):
            continue
        made.append(Fact(labels.get(key, key), _flat(value)))
    return made


def _pair(output: OutputView) -> PairView:
    return PairView(
        output.pair_pk, output.pair_name, output.style_family, output.culture, output.content_kind
    )


def _labels() -> dict[str, str]:
    return {
        "dataset": _("Dataset (sha256)"),
        "suite": _("Metric suite"),
        "suite_digest": _("Metric suite (sha256)"),
        "backbone": _("Backbone"),
        "backbone_digest": _("Backbone (sha256)"),
        "networks": _("Further networks (sha256)"),
        "shards": _("Parts of the run"),
        "driver": _("Driver"),
        "limits": _("Limits"),
        "worker": _("Worker"),
        "environment": _("Environment"),
        "seed": _("Seed"),
    }


def _flat(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_flat(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(_flat(item) for item in value)
    return str(value)


def _log_pace(submission: SubmissionView, log: LogView) -> int | None:
    if log.ended:
        return None
    return LOG_PACE_IN_QUEUE_SECONDS if submission.run.state == "queued" else LOG_PACE_SECONDS
