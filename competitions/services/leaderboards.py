"""Make a new leaderboard snapshot from the per-pair scores of the runs that count."""

import hashlib
import io
import json
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from competitions.models import (
    Disqualification,
    FinalChoice,
    ImagePair,
    LeaderboardRow,
    LeaderboardSnapshot,
    Phase,
    Run,
    Score,
    Submission,
)
from competitions.ranking import DRAWS, HEADLINE, METHOD, SEED, Entry, PairDesign, RankedEntry, rank_entries
from competitions.rules import RunState
from competitions.selectors.leaderboards import is_rescoring
from competitions.services.board_versions import touch_board
from competitions.services.webhooks import tell_board_changed
from competitions.slicing import AXES, SlicedBoard, slice_entries
from competitions.storage import open_file
from evaluation.metrics.registry import SET_LEVEL
from evaluation.report import PairScore, read_pair_scores


@transaction.atomic
def refresh(*, phase_id: int) -> LeaderboardSnapshot:
    """Rank the phase anew; if nothing has changed since the newest snapshot, that one is returned.

    It is returned, too, while runs are scored again: a board on which only some are compared misleads. The end of
    the last of them asks for another refresh.

    Holds the phase's row, so that of two refreshes the one that read last also stores last.
    """
    Phase.objects.select_for_update().get(pk=phase_id)
    phase = Phase.objects.select_related("suite", "dataset_version", "competition").get(pk=phase_id)
    newest = phase.snapshots.order_by("-pk").first()
    if newest is not None and is_rescoring(phase.pk):
        return newest
    runs = _counting_runs(phase)
    digest = _inputs_digest(phase, runs)
    if newest is not None and newest.inputs_digest == digest:
        return newest
    rows = _hidden_pairs(phase)
    pairs = [_design(row) for row in rows]
    entries = [
        Entry(str(run.pk), run.submission.kind == Submission.Kind.BASELINE, _pair_scores(run)) for run in runs
    ]
    ranked = rank_entries(entries, pairs, required_coverage=phase.required_coverage)
    labels = {axis: [str(getattr(row, axis)) for row in rows] for axis in AXES}
    sliced = slice_entries(entries, pairs, labels)
    snapshot = _store_snapshot(phase, digest, pairs, sliced)
    _store_rows(snapshot, runs, ranked, sliced)
    tell_board_changed(snapshot, phase)
    touch_board(phase.pk)
    return snapshot


def _counting_runs(phase: Phase) -> list[Run]:
    """Choose each baseline's and each team's run that counts: their best or latest by the phase's rule.

    Where a team has chosen final submissions, the rule looks at these alone, as long as one of them counts.
    Only runs under the phase's suite compete, and only of submissions that are not disqualified.
    """
    disqualified = Disqualification.objects.filter(lifted_at__isnull=True)
    scored = (
        Run.objects.filter(submission__phase=phase, state=RunState.SCORED, suite=phase.suite_id)
        .exclude(purpose=Run.Purpose.DRY_RUN)
        .exclude(submission__in=disqualified.values("submission"))
        .select_related("submission", "pair_scores")
        .order_by("finished_at", "pk")
    )
    # A rerun replaces what it repeats.
    latest = _finals_first(phase, {run.submission_id: run for run in scored})
    headline = dict(
        Score.objects.filter(
            run__in=[r.pk for r in latest.values()], metric=HEADLINE, split="hidden"
        ).values_list("run_id", "value")
    )
    chosen: dict[object, Run] = {}
    for run in sorted(latest.values(), key=lambda run: (run.submission.created_at, str(run.pk))):
        who = run.submission.team_id or run.submission_id
        known = chosen.get(who)
        is_latest = phase.counting == Phase.Counting.LATEST
        if known is None or is_latest or headline.get(run.pk, 0.0) > headline.get(known.pk, 0.0):
            chosen[who] = run
    return sorted(chosen.values(), key=lambda run: str(run.pk))


def _finals_first(phase: Phase, latest: dict[UUID, Run]) -> dict[UUID, Run]:
    """Leave of each team that has chosen only what it has chosen."""
    if not phase.finals_per_team:
        return latest
    choices = FinalChoice.objects.filter(submission__phase=phase, submission__in=latest.keys())
    chosen = set(choices.values_list("submission_id", flat=True))
    teams = {latest[submission_id].submission.team_id for submission_id in chosen}
    return {key: run for key, run in latest.items() if key in chosen or run.submission.team_id not in teams}


def _inputs_digest(phase: Phase, runs: Iterable[Run]) -> str:
    inputs = {
        "runs": [[str(run.pk), run.pair_scores.sha256 if run.pair_scores else ""] for run in runs],
        "suite": phase.suite.digest,
        "dataset": phase.dataset_version.digest,
        "coverage": phase.required_coverage,
        "method": METHOD,
        "seed": SEED,
        "draws": DRAWS,
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def _hidden_pairs(phase: Phase) -> list[ImagePair]:
    rows = ImagePair.objects.filter(version=phase.dataset_version_id, split=ImagePair.Split.HIDDEN)
    return list(rows.select_related("content", "style").order_by("name"))


def _design(pair: ImagePair) -> PairDesign:
    return PairDesign(pair.name, pair.split, pair.content.sha256, pair.style.sha256, pair.culture)


def _pair_scores(run: Run) -> dict[str, PairScore]:
    if run.pair_scores is None:
        raise ValueError("a scored run has its per-pair scores")
    with open_file(run.pair_scores.sha256) as file:
        return {score.pair_id: score for score in read_pair_scores(io.BytesIO(file.read()))}


def _set_values(runs: list[Run]) -> dict[str, dict[str, list[float | None]]]:
    """Read what was measured on all hidden outputs of each run together; it cannot be made from single pairs."""
    found: dict[str, dict[str, list[float | None]]] = {}
    for score in Score.objects.filter(run__in=runs, split=ImagePair.Split.HIDDEN, metric__in=SET_LEVEL):
        found.setdefault(str(score.run_id), {})[score.metric] = [score.value, score.low, score.high]
    return found


def _store_snapshot(
    phase: Phase, digest: str, pairs: list[PairDesign], sliced: SlicedBoard
) -> LeaderboardSnapshot:
    return LeaderboardSnapshot.objects.create(
        phase=phase,
        inputs_digest=digest,
        suite_name=phase.suite.name,
        suite_digest=phase.suite.digest,
        dataset_digest=phase.dataset_version.digest,
        seed=SEED,
        draws=DRAWS,
        n_pairs=len(pairs),
        n_styles=len({pair.style for pair in pairs}),
        n_contents=len({pair.content for pair in pairs}),
        slices={
            axis: {label: [size.n_pairs, size.n_styles, size.is_thin] for label, size in sizes.items()}
            for axis, sizes in sliced.sizes.items()
        },
    )


def _store_rows(
    snapshot: LeaderboardSnapshot, runs: list[Run], ranked: list[RankedEntry], sliced: SlicedBoard
) -> None:
    by_key = {str(run.pk): run for run in runs}
    sets = _set_values(runs)
    LeaderboardRow.objects.bulk_create(
        LeaderboardRow(
            snapshot=snapshot,
            position=position,
            submission=by_key[line.key].submission,
            run=by_key[line.key],
            rank=line.rank.rank if line.rank else None,
            rank_low=line.rank.low if line.rank else None,
            rank_high=line.rank.high if line.rank else None,
            group=line.rank.group if line.rank else None,
            group_last=line.rank.group_last if line.rank else None,
            p_next=line.rank.p_next if line.rank else None,
            values={name: list(numbers) for name, numbers in line.values.items()} | sets.get(line.key, {}),
            slices=sliced.scores.get(line.key, {}),
            n_valid=line.n_valid,
            unranked_reason=line.unranked_reason,
        )
        for position, line in enumerate(ranked, start=1)
    )
