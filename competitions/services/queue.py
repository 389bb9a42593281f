"""The queue: what is put into it, in which order it is served, and who gets what."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from competitions.errors import IllegalTransition, StaleFence
from competitions.models import Outbox, QuotaEntry, Run, RunEvent, Submission
from competitions.rules import RunState
from competitions.services import outbox
from competitions.services.runs import Claim
from competitions.services.transitions import transition
from competitions.services.workers import Ability

CANDIDATES = 10


@transaction.atomic
def create_run(*, submission: Submission, purpose: Run.Purpose = Run.Purpose.SCORE, actor: str) -> Run:
    """Queue an evaluation of a submission; entries reserve one run of their team's quota."""
    sequence = submission.runs.filter(purpose=purpose).count() + 1
    phase = submission.phase
    run = Run(
        submission=submission,
        purpose=purpose,
        sequence=sequence,
        queued_at=timezone.now(),
        event_count=1,
        suite=phase.suite,
        device=submission.manifest["device"],
        runtime=submission.manifest["runtime"],
        memory_mb=phase.memory_mb,
        needs_sandbox=not submission.is_shipped,
    )
    run.pairs_total = phase.dataset_version.pairs.count()
    run.full_clean()
    run.save()
    RunEvent.objects.create(run=run, sequence=1, to_state=RunState.QUEUED, actor=actor)
    if submission.kind == Submission.Kind.ENTRY and submission.team is not None:
        QuotaEntry.objects.create(team=submission.team, phase=submission.phase, run=run)
    outbox.promise_nudge()
    return run


def claim(*, worker: str, ability: Ability) -> Claim | None:
    """Take the next queued run that this worker can do, or return None.

    Of several workers that reach for one run, one gets it. A worker without a sandbox gets only archives that
    the project itself ships.
    """
    order = _claimable(ability).order_by("priority", "turn", "queued_at", "pk").values_list("pk", "fence")
    for run_id, fence in order[:CANDIDATES]:
        if taken := _take(run_id, fence, worker):
            return taken
    return None


def nudge_if_waiting() -> bool:
    """Promise a nudge where runs wait, so that a lost message is made good; say whether any do."""
    if not _due().exists():
        return False
    if Outbox.objects.filter(topic=Outbox.Topic.NUDGE).exists():  # one is on its way, or waits for the broker
        return True
    with transaction.atomic():
        outbox.promise_nudge()
    return True


def _take(run_id: UUID, fence: int, worker: str) -> Claim | None:
    now = timezone.now()
    try:
        transition(
            run_id=run_id,
            to=RunState.CLAIMED,
            actor=worker,
            fence=fence,
            changes={
                "fence": F("fence") + 1,
                "attempts": F("attempts") + 1,
                "lease_owner": worker[:200],
                "lease_expires_at": now + timedelta(seconds=settings.LEASE_SECONDS),
                "last_sign_of_life": now,
                "started_at": now,
                "not_before": None,
                "pairs_done": 0,
            },
        )
    except (StaleFence, IllegalTransition):  # another worker was first
        return None
    return Claim(run_id=run_id, fence=fence + 1, worker=worker)


def _claimable(ability: Ability) -> QuerySet[Run]:
    """List what is due and asks for no more than this worker offers."""
    waiting = _due().filter(
        device__in=ability.devices, memory_mb__lte=ability.memory_mb, runtime__in=ability.runtimes
    )
    return waiting if ability.can_run_untrusted else waiting.filter(needs_sandbox=False)


def _due() -> QuerySet[Run]:
    waiting = Run.objects.filter(state=RunState.QUEUED)
    return waiting.filter(Q(not_before__isnull=True) | Q(not_before__lte=timezone.now()))
