"""Read which submissions a team has chosen to be ranked by, and what it may still choose."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from competitions.errors import CompetitionError
from competitions.models import FinalChoice, Submission
from competitions.rules import RunState, check_final_choice, phase_state
from competitions.selectors.access import Viewer
from competitions.selectors.submissions import SubmissionView


@dataclass(frozen=True)
class Finals:
    """Of the submissions asked about: those chosen, those that may be, and those whose choice may be taken back."""

    chosen: frozenset[UUID] = frozenset()
    may_choose: frozenset[UUID] = frozenset()
    may_drop: frozenset[UUID] = frozenset()


def finals(shown: Sequence[SubmissionView], viewer: Viewer) -> Finals:
    """Say what is chosen, and what the viewer may do about it; the service decides again when it is done."""
    chosen = {submission.id for submission in shown if submission.is_final}
    scored = {submission.id for submission in shown if submission.run.state == RunState.SCORED}
    keys = {submission.id for submission in shown if submission.can_manage} & (chosen | scored)
    if not keys or not isinstance(viewer, User):
        return Finals(frozenset(chosen))
    own = Submission.objects.filter(pk__in=keys, team__in=viewer.teams.all())
    rows = list(own.select_related("phase"))
    taken: Counter[tuple[int, int | None]] = Counter(
        FinalChoice.objects.filter(
            submission__phase__in={row.phase_id for row in rows},
            submission__team__in={row.team_id for row in rows},
        ).values_list("submission__phase_id", "submission__team_id")
    )
    return Finals(
        chosen=frozenset(chosen),
        may_choose=frozenset(
            row.pk
            for row in rows
            if row.pk in scored - chosen and _allows(row, taken[row.phase_id, row.team_id] + 1)
        ),
        may_drop=frozenset(row.pk for row in rows if row.pk in chosen and _allows(row, 0)),
    )


def _allows(row: Submission, chosen: int) -> bool:
    state = phase_state(row.phase.opens_at, row.phase.closes_at, timezone.now())
    try:
        check_final_choice(state=state, chosen=chosen, limit=row.phase.finals_per_team)
    except CompetitionError:
        return False
    return True
