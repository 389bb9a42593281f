"""Which submissions a team wants to be ranked by."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Team, User
from competitions.errors import IllegalTransition, NotATeamMember
from competitions.models import FinalChoice, Phase, Run, Submission
from competitions.rules import RunState, check_final_choice, phase_state
from competitions.selectors.submissions import get_submission
from competitions.services import outbox


@transaction.atomic
def choose_final(*, submission_id: UUID, user: User) -> None:
    """Have the team ranked by this submission; choosing it twice changes nothing.

    Raises:
        NotFound: there is no such submission, or the user may not see it.
        NotATeamMember: the user is not of the team that submitted.
        IllegalTransition: it has no scores.
        PhaseClosed, TooManyFinals: the phase is not open, or takes no further choice.
    """
    submission = _own(submission_id, user)
    chosen = FinalChoice.objects.filter(submission__phase=submission.phase, submission__team=submission.team)
    others = chosen.exclude(submission=submission)
    _check(submission.phase, others.count() + 1)
    if not submission.runs.filter(state=RunState.SCORED, purpose=Run.Purpose.SCORE).exists():
        raise IllegalTransition("Only a submission that has scores can be chosen.")
    if not hasattr(submission, "final_choice"):
        row = FinalChoice(submission=submission, chosen_by=user)
        row.full_clean()
        row.save()
        outbox.promise_board(submission.phase_id)


@transaction.atomic
def drop_final(*, submission_id: UUID, user: User) -> None:
    """Take a choice back; without any, the phase's rule chooses among all of the team's submissions again.

    Raises:
        NotFound: there is no such submission, or the user may not see it.
        NotATeamMember: the user is not of the team that submitted.
        PhaseClosed, TooManyFinals: the phase is not open, or knows no choices.
    """
    submission = _own(submission_id, user)
    _check(submission.phase, 0)
    FinalChoice.objects.filter(submission=submission).delete()
    outbox.promise_board(submission.phase_id)


def _own(submission_id: UUID, user: User) -> Submission:
    """Read the submission and hold its team: of two choices at once, the second sees the first."""
    get_submission(submission_id, user)
    submission = Submission.objects.select_related("phase", "final_choice").get(pk=submission_id)
    if submission.team_id is None or not user.teams.filter(pk=submission.team_id).exists():
        raise NotATeamMember("Only the team that submitted can choose.")
    Team.objects.select_for_update().get(pk=submission.team_id)
    return submission


def _check(phase: Phase, chosen: int) -> None:
    state = phase_state(phase.opens_at, phase.closes_at, timezone.now())
    check_final_choice(state=state, chosen=chosen, limit=phase.finals_per_team)
