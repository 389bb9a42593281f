"""What organizers and operators decide about entries: run again, score again, disqualify, cancel, take back."""

from uuid import UUID

from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from competitions.errors import IllegalTransition, InvalidInput, NotFound
from competitions.models import Disqualification, Phase, Run, Submission
from competitions.rules import END_STATES, LIVE_STATES, RunState
from competitions.selectors.access import check_organizer, visible_submissions
from competitions.services import outbox
from competitions.services.competitions import check_same_size, store_suite
from competitions.services.queue import create_run
from competitions.services.transitions import NO_LEASE, transition
from evaluation.failures import Fault
from evaluation.spec import MetricSuite as SuiteDocument


def rerun(*, submission_id: UUID, user: User) -> Run:
    """Have a submission evaluated once more, free of charge; its new scores replace the old ones.

    Raises:
        NotFound: there is no such submission, or the user may not see it.
        NotAllowed: the user does not organize the competition.
        IllegalTransition: a run is under way, or the submission was a dry run.
    """
    submission = _moderated(submission_id, user)
    if not submission.runs.filter(purpose=Run.Purpose.SCORE).exists():
        raise IllegalTransition(
            "This was a dry run, which never competes.", fix="Hand its archive in as an entry or a baseline."
        )
    return create_run(submission=submission, actor=f"user {user.username}", is_free=True)


@transaction.atomic
def rescore_phase(*, phase_pk: int, suite: SuiteDocument, user: User) -> list[Run]:
    """Give a phase another version of its suite, and have the stored outputs of what was scored scored by it.

    Nothing is generated. Runs that have not started yet get the new suite anyway; those under way end by the old
    one. What has scores by the new suite is left alone, so asking again does what is missing.

    Raises:
        NotFound: the user may not see the competition.
        NotAllowed: the user does not organize it.
        InvalidInput: the suite scores images of another size.
        IllegalTransition: an earlier rescoring is under way.
    """
    phase = Phase.objects.select_for_update(of=("self",)).select_related("dataset_version").get(pk=phase_pk)
    check_organizer(user, phase.competition_id)
    check_same_size(phase.dataset_version, suite)
    runs = Run.objects.filter(submission__phase=phase)
    if runs.filter(purpose=Run.Purpose.RESCORE, state__in=LIVE_STATES).exists():
        raise IllegalTransition(
            "A rescoring of this phase is still under way.", fix="Wait for its end, or cancel its runs."
        )
    phase.suite = store_suite(suite=suite)
    phase.save(update_fields=["suite"])
    made = [rescore(source, actor=f"user {user.username}") for source in _newest_scored(phase)]
    outbox.promise_board(phase.pk)
    return [run for run in made if run is not None]


def rescore(source: Run, *, actor: str) -> Run | None:
    """Queue a rescoring of a scored run, unless it has scores by its phase's suite or will have them."""
    suite = source.submission.phase.suite_id
    known = source.rescores.filter(suite=suite).exclude(state__in=[RunState.FAILED, RunState.CANCELLED])
    if source.suite_id == suite or known.exists():
        return None
    return create_run(submission=source.submission, purpose=Run.Purpose.RESCORE, source=source, actor=actor)


@transaction.atomic
def disqualify(*, submission_id: UUID, user: User, reason: str) -> Disqualification:
    """Take a submission off the board, for a reason that everybody can read.

    Raises:
        NotFound: there is no such submission, or the user may not see it.
        NotAllowed: the user does not organize the competition.
        InvalidInput: no reason is given.
        IllegalTransition: it is disqualified already.
    """
    submission = _moderated(submission_id, user)
    if not reason.strip():
        raise InvalidInput("A disqualification needs a reason.", fields={"reason": "Say why."})
    if submission.disqualifications.filter(lifted_at__isnull=True).exists():
        raise IllegalTransition("This submission is disqualified already.")
    row = Disqualification(submission=submission, reason=reason.strip(), decided_by=user)
    row.full_clean()
    row.save()
    outbox.promise_board(submission.phase_id)
    return row


@transaction.atomic
def lift(*, submission_id: UUID, user: User) -> None:
    """Put a disqualified submission back onto the board.

    Raises:
        NotFound: there is no such submission, or the user may not see it.
        NotAllowed: the user does not organize the competition.
        IllegalTransition: it is not disqualified.
    """
    submission = _moderated(submission_id, user)
    standing = submission.disqualifications.filter(lifted_at__isnull=True)
    if not standing.update(lifted_at=timezone.now(), lifted_by=user):
        raise IllegalTransition("This submission is not disqualified.")
    outbox.promise_board(submission.phase_id)


def cancel_run(*, run_id: UUID, user: User, reason: str = "") -> Run:
    """End a live run of any purpose; its team pays nothing for that.

    Raises:
        NotFound: there is no such run, or the user may not see it.
        NotAllowed: the user does not organize the competition.
        IllegalTransition: it has ended.
    """
    submission_id = Run.objects.filter(pk=run_id).values_list("submission", flat=True).first()
    if submission_id is None:
        raise NotFound("There is no such run, or you may not see it.")
    _moderated(submission_id, user)
    return stop_run(run_id=run_id, actor=f"user {user.username}", reason=reason)


def stop_run(*, run_id: UUID, actor: str, reason: str = "") -> Run:
    """End a live run on behalf of the platform; its worker finds out by its next write or sign of life."""
    return transition(
        run_id=run_id,
        to=RunState.CANCELLED,
        actor=actor,
        detail=reason,
        changes={"fence": F("fence") + 1, "fault": Fault.PLATFORM},
    )


@transaction.atomic
def requeue(*, run_id: UUID, actor: str, is_forced: bool = False) -> Run:
    """Have a run done (again): a waiting one at once, a live one by another worker, an ended one by a new run.

    Without force, neither a worker that shows signs of life loses its run, nor is an end repeated that was not
    our fault.

    Raises:
        NotFound: there is no such run.
        IllegalTransition: it takes force.
    """
    run = Run.objects.select_related("submission__phase", "source").filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such run.")
    if run.state == RunState.QUEUED:
        Run.objects.filter(pk=run_id, state=RunState.QUEUED).update(not_before=None)
        outbox.promise_nudge()
        return run
    if run.state in END_STATES:
        return _repeat(run, actor, is_forced=is_forced)
    if not is_forced and Run.objects.filter(pk=run_id, lease_expires_at__gt=Now()).exists():
        raise IllegalTransition(
            f"{run.lease_owner} is at work on it, with a lease until {run.lease_expires_at:%H:%M:%S} UTC.",
            fix="Force takes the run from it.",
        )
    return _take_away(run, actor)


def _repeat(run: Run, actor: str, *, is_forced: bool) -> Run:
    if not is_forced and not (run.state == RunState.FAILED and run.fault == Fault.PLATFORM):
        raise IllegalTransition(
            f"The run is {run.state}, and not by a fault of the platform.", fix="Force makes a new run."
        )
    made = create_run(
        submission=run.submission,
        purpose=Run.Purpose(run.purpose),
        source=run.source,
        actor=actor,
        is_free=True,
    )
    outbox.promise_board(run.submission.phase_id)  # it says when its runs are scored again
    return made


def _take_away(run: Run, actor: str) -> Run:
    """Return a run to the queue from a worker that may go on for a while; the attempt does not count."""
    taken = transition(
        run_id=run.pk,
        to=RunState.QUEUED,
        actor=actor,
        fence=run.fence,
        detail=f"Taken from {run.lease_owner}.",
        changes=NO_LEASE
        | {
            "fence": F("fence") + 1,
            "attempts": F("attempts") - 1,
            "not_before": None,
            "pairs_done": 0,
            "started_at": None,
        },
    )
    outbox.promise_nudge()
    return taken


def _newest_scored(phase: Phase) -> QuerySet[Run]:
    """List the newest run of each submission that has outputs to score."""
    scored = Run.objects.filter(purpose=Run.Purpose.SCORE, state=RunState.SCORED)
    of_one = scored.filter(submission=OuterRef("pk")).order_by("-sequence").values("pk")[:1]
    newest = Submission.objects.filter(phase=phase).annotate(newest=Subquery(of_one)).values("newest")
    return scored.filter(pk__in=newest).select_related("submission__phase").order_by("queued_at", "pk")


def _moderated(submission_id: UUID, user: User) -> Submission:
    rows = visible_submissions(user).filter(pk=submission_id).select_related("phase", "team")
    submission = rows.first()
    if submission is None:
        raise NotFound("There is no such submission, or you may not see it.")
    check_organizer(user, submission.phase.competition_id)
    return submission
