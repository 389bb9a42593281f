"""What the database must show after the day: every entry evaluated once, charged once, ended as it should."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Count

from competitions.models import LeaderboardSnapshot, Outbox, QuotaEntry, Run, RunEvent, RunFlag, Submission
from competitions.rules import END_STATES, RunState
from tests.chaos.entries import Entry

# Flags that no generator of the day deserves: all of them do the same twice.
FALSE_FLAGS = ("NONDETERMINISTIC", "STATEFUL")


@dataclass
class Verdict:
    """Sentences about what is wrong, by what it counts as."""

    lost: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    double_scored: list[str] = field(default_factory=list)
    quota_imbalance: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)


def judge(entries: Sequence[Entry]) -> Verdict:
    """Compare what the database shows with what was submitted."""
    runs: dict[str, list[Run]] = {entry.name: [] for entry in entries}
    for run in Run.objects.select_related("submission"):
        runs.setdefault(run.submission.name, []).append(run)
    return Verdict(
        lost=_lost(runs),
        stuck=_stuck(),
        double_scored=_scored_twice(runs),
        quota_imbalance=_badly_charged(runs),
        unexpected=_ended_otherwise(entries, runs),
    )


def _lost(runs: Mapping[str, Sequence[Run]]) -> list[str]:
    return [
        f"{name} has no run that has ended"
        for name, found in runs.items()
        if not any(run.state in END_STATES for run in found)
    ]


def _stuck() -> list[str]:
    live = Run.objects.exclude(state__in=END_STATES).select_related("submission")
    sentences = [
        f"{run} since {run.last_sign_of_life or run.queued_at}, attempt {run.attempts}, not before "
        f"{run.not_before}, lease of {run.lease_owner or 'nobody'}"
        for run in live
    ]
    return sentences + [
        f"promised and not done: {promise}, {promise.attempts} tries, not before {promise.not_before}, "
        f"{promise.last_error or 'no error'}"
        for promise in Outbox.objects.all()
    ]


def _scored_twice(runs: Mapping[str, Sequence[Run]]) -> list[str]:
    ends = RunEvent.objects.filter(to_state=RunState.SCORED).values("run__submission__name")
    sentences = [
        f"{row['run__submission__name']} was scored {row['times']} times"
        for row in ends.annotate(times=Count("pk")).filter(times__gt=1)
    ]
    sentences += [f"{name} has {len(found)} runs" for name, found in runs.items() if len(found) > 1]
    submissions = Counter(Submission.objects.values_list("name", flat=True))
    sentences += [f"{name} was submitted {times} times" for name, times in submissions.items() if times > 1]
    for run in Run.objects.filter(state=RunState.SCORED).annotate(pictures=Count("outputs")):
        if not run.pictures == run.n_pairs == run.pairs_total:
            sentences.append(f"{run} has {run.pictures} pictures for {run.pairs_total} pairs")
    return sentences + _crowded_boards()


def _crowded_boards() -> list[str]:
    sentences = []
    for snapshot in LeaderboardSnapshot.objects.all():
        teams = Counter(snapshot.rows.values_list("submission__team__name", flat=True))
        sentences += [f"{team} stands on {snapshot} {n} times" for team, n in teams.items() if n > 1]
    return sentences


def _badly_charged(runs: Mapping[str, Sequence[Run]]) -> list[str]:
    entries = dict(QuotaEntry.objects.values_list("run_id", "state"))
    return [
        f"{name} ended as {run.state} {run.failure_code} and is {entries.get(run.pk, 'not in the ledger')}"
        for name, found in runs.items()
        for run in found
        if entries.get(run.pk) != _due(run)
    ]


def _due(run: Run) -> str:
    """Say what a run must have cost: what was scored, and what its own generator broke."""
    if run.state == RunState.SCORED or (run.state == RunState.FAILED and run.fault == "participant"):
        return QuotaEntry.State.CHARGED
    return QuotaEntry.State.REFUNDED if run.state in END_STATES else QuotaEntry.State.RESERVED


def _ended_otherwise(entries: Sequence[Entry], runs: Mapping[str, Sequence[Run]]) -> list[str]:
    sentences = [
        f"{entry.name} ended as {run.state} {run.failure_code}: {run.failure_detail}"
        for entry in entries
        for run in runs[entry.name]
        if run.state in END_STATES and (run.state, run.failure_code) != entry.expected_end
    ]
    flags = RunFlag.objects.filter(code__in=FALSE_FLAGS).select_related("run__submission")
    return sentences + [f"{flag.run} is flagged {flag.code}: {flag.sentence}" for flag in flags]
