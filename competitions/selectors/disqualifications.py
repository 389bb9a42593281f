"""Read which submissions an organizer took off the board, and why."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from competitions.models import Disqualification, Run
from competitions.rules import RunState


@dataclass(frozen=True)
class DisqualifiedView:
    """A submission that was taken off the board, and why."""

    submission_id: UUID
    name: str
    team: str
    reason: str
    created_at: datetime


def standing_disqualifications() -> QuerySet[Disqualification]:
    """Disqualifications that were not lifted, of submissions that have scores."""
    scored = Run.objects.filter(submission=OuterRef("submission"), state=RunState.SCORED)
    has_scores = Exists(scored.exclude(purpose=Run.Purpose.DRY_RUN))
    return Disqualification.objects.filter(has_scores, lifted_at__isnull=True)


def disqualified(phase_id: int) -> tuple[DisqualifiedView, ...]:
    """List the submissions of a phase that have scores, and that an organizer took off the board."""
    rows = standing_disqualifications().filter(submission__phase=phase_id)
    return tuple(
        DisqualifiedView(
            submission_id=row.submission_id,
            name=row.submission.name,
            team=row.submission.team.name if row.submission.team else "",
            reason=row.reason,
            created_at=row.created_at,
        )
        for row in rows.select_related("submission__team").order_by("created_at", "pk")
    )
