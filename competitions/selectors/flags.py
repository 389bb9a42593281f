"""Read flags against gaming, as far as the viewer may see them, and what entries usually score."""

import io
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from statistics import fmean
from uuid import UUID

from competitions.flags import FLAG_TEXTS
from competitions.models import LeaderboardSnapshot, Phase, Run, RunFlag, Submission
from competitions.selectors.access import Viewer, organized_competitions
from competitions.selectors.submissions import WholeSubmission
from competitions.storage import open_file
from evaluation.report import read_pair_scores

OPEN, CONFIRMED = RunFlag.Verdict.OPEN, RunFlag.Verdict.CONFIRMED
FEWEST_ENTRIES = 3  # of fewer, one that is out of the ordinary would be what is usual
KEPT_TABLES = 512


@dataclass(frozen=True)
class FlagView:
    """A sign seen in a run: `text` says what it means, `sentence` what was seen there.

    Note and reviewer are empty for everybody but organizers.
    """

    pk: int
    code: str
    text: str
    sentence: str
    verdict: str
    note: str
    reviewer: str
    reviewed_at: datetime | None


@dataclass(frozen=True)
class RunFlags:
    """The flags of a run that the viewer may see; `can_review`: an organizer or staff, who see all of them."""

    flags: tuple[FlagView, ...] = ()
    can_review: bool = False

    @property
    def confirmed(self) -> tuple[str, ...]:
        """List the codes that everybody may see."""
        return tuple(flag.code for flag in self.flags if flag.verdict == CONFIRMED)

    @property
    def open(self) -> tuple[str, ...] | None:
        """List the codes that wait for a verdict; None for those who may not know them."""
        if not self.can_review:
            return None
        return tuple(flag.code for flag in self.flags if flag.verdict == OPEN)


def confirmed_flags(run_ids: Collection[UUID]) -> dict[UUID, tuple[FlagView, ...]]:
    """Read what everybody may see of the flags of these runs."""
    found: dict[UUID, tuple[FlagView, ...]] = {}
    for row in RunFlag.objects.filter(run__in=run_ids, verdict=CONFIRMED).order_by("code"):
        found[row.run_id] = (*found.get(row.run_id, ()), _view(row, is_organizer=False))
    return found


def flags_of(run_ids: Collection[UUID], viewer: Viewer) -> dict[UUID, RunFlags]:
    """Read the flags of runs that the viewer sees: all to organizers, the confirmed ones to everybody else."""
    organized = Run.objects.filter(
        pk__in=run_ids, submission__phase__competition__in=organized_competitions(viewer)
    )
    own = set(organized.values_list("pk", flat=True))
    found: dict[UUID, list[FlagView]] = {run_id: [] for run_id in run_ids}
    for row in RunFlag.objects.filter(run__in=run_ids).select_related("reviewed_by").order_by("code"):
        if row.run_id in own or row.verdict == CONFIRMED:
            found[row.run_id].append(_view(row, is_organizer=row.run_id in own))
    return {run_id: RunFlags(tuple(flags), run_id in own) for run_id, flags in found.items()}


def review_of(submission: WholeSubmission) -> RunFlags:
    """Read the flags of the run that a submission shows, as `flags_of` does."""
    can_review = submission.is_organizer
    rows = RunFlag.objects.filter(run=submission.run.id).select_related("reviewed_by").order_by("code")
    seen = rows if can_review else rows.filter(verdict=CONFIRMED)
    return RunFlags(tuple(_view(row, is_organizer=can_review) for row in seen), can_review)


def usual_style_scores(phase_id: int, *, reviewed: UUID | None = None) -> dict[str, float] | None:
    """Return pair name -> mean style score of the entries on the phase's board, of those with a valid output.

    The entry of the team whose run is `reviewed` is left out. None where fewer than three are left, or where the
    board was made under another suite than the phase has now.
    """
    phase = Phase.objects.select_related("suite").get(pk=phase_id)
    snapshot = LeaderboardSnapshot.objects.filter(phase=phase).order_by("-pk").first()
    if snapshot is None or snapshot.suite_digest != phase.suite.digest:
        return None
    rows = snapshot.rows.filter(submission__kind=Submission.Kind.ENTRY)
    if reviewed is not None:
        rows = rows.exclude(submission__team__submissions__runs=reviewed)
    tables = list(rows.values_list("run__pair_scores__sha256", flat=True))
    if len(tables) < FEWEST_ENTRIES:
        return None
    values: dict[str, list[float]] = {}
    for sha256 in tables:
        for pair, value in _style_scores(sha256).items():
            values.setdefault(pair, []).append(value)
    return {pair: fmean(found) for pair, found in values.items()}


@lru_cache(maxsize=KEPT_TABLES)
def _style_scores(sha256: str) -> dict[str, float]:
    """Read the style scores of a run; its file is named by its content, so what is kept is never out of date."""
    with open_file(sha256) as file:
        scores = read_pair_scores(io.BytesIO(file.read()))
    return {score.pair_id: score.values["style"] for score in scores if not score.invalid}


def _view(row: RunFlag, *, is_organizer: bool) -> FlagView:
    return FlagView(
        pk=row.pk,
        code=row.code,
        text=FLAG_TEXTS.get(row.code, row.code),
        sentence=row.sentence,
        verdict=row.verdict,
        note=row.note if is_organizer else "",
        reviewer=row.reviewed_by.username if is_organizer and row.reviewed_by else "",
        reviewed_at=row.reviewed_at,
    )
