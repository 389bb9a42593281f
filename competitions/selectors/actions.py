"""Read what a viewer may do with a submission at this moment; pages offer that and nothing else."""

from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from accounts.selectors import find_team
from competitions.models import Phase, Run
from competitions.rules import LIVE_STATES, may_be_retried, phase_state
from competitions.selectors.access import Viewer, visible_competitions
from competitions.selectors.competitions import quota
from competitions.selectors.submissions import SubmissionView, WholeSubmission


@dataclass(frozen=True)
class Actions:
    """What the services would do for the viewer: `can_retry` is the team's, the others are the organizers'.

    `rescoring` is a live run that they may cancel; the run that the page shows has a button of its own.
    """

    can_retry: bool = False
    can_rerun: bool = False
    can_disqualify: bool = False
    can_reinstate: bool = False
    rescoring: UUID | None = None

    @property
    def can_moderate(self) -> bool:
        """Say whether there is anything for an organizer to do."""
        return self.can_rerun or self.can_disqualify or self.can_reinstate or self.rescoring is not None


def actions_on(submission: WholeSubmission, viewer: Viewer) -> Actions:
    """Say what the viewer may do; the services decide again when it is done."""
    if not submission.can_manage or not isinstance(viewer, User):
        return Actions()
    is_organizer = submission.is_organizer
    ends = [(run.state, run.failure_code) for run in submission.ends if run.purpose == Run.Purpose.SCORE]
    rescores = (
        run.run_id
        for run in submission.ends
        if run.purpose == Run.Purpose.RESCORE and run.state in LIVE_STATES
    )
    is_out = bool(submission.disqualified_for)
    return Actions(
        can_retry=bool(ends) and may_be_retried(*ends[0]) and _may_submit(submission, viewer),
        can_rerun=is_organizer and bool(ends) and all(state not in LIVE_STATES for state, _ in ends),
        can_disqualify=is_organizer and not is_out,
        can_reinstate=is_organizer and is_out,
        rescoring=next(rescores, None) if is_organizer else None,
    )


def _may_submit(submission: SubmissionView, viewer: User) -> bool:
    """Say whether the viewer is of the team, and window and quota leave it a run."""
    team = find_team(viewer, submission.team_slug) if submission.team_slug else None
    if team is None:
        return False
    shown = visible_competitions(viewer).filter(slug=submission.competition)
    phase = Phase.objects.filter(competition__in=shown, slug=submission.phase).first()
    if phase is None:  # the competition is not published any more
        return False
    is_open = phase_state(phase.opens_at, phase.closes_at, timezone.now()) == "open"
    return is_open and quota(phase, team, viewer).left_today > 0
