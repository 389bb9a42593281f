"""The queue: what is put into it, in which order it is served, and who gets what."""

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Now
from django.utils import timezone

from competitions.clock import in_seconds
from competitions.errors import IllegalTransition, StaleFence
from competitions.models import Outbox, Phase, QuotaEntry, Run, RunEvent, Submission
from competitions.rules import LIVE_STATES, PRIORITIES, RunState
from competitions.selectors.queue import ORDER, due, estimated_start, turn_of, within
from competitions.services import outbox
from competitions.services.runs import Claim
from competitions.services.transitions import transition
from competitions.services.workers import Ability

CANDIDATES = 10


@transaction.atomic
def create_run(
    *,
    submission: Submission,
    actor: str,
    purpose: Run.Purpose = Run.Purpose.SCORE,
    source: Run | None = None,
    is_free: bool = False,
) -> Run:
    """Queue an evaluation of a submission under the suite that its phase has now.

    Entries reserve one run of their team's quota, unless the run is free; dry runs and rescorings always are.

    Raises:
        IllegalTransition: a run of the submission for this purpose is still under way.
    """
    Submission.objects.select_for_update().get(
        pk=submission.pk
    )  # two that queue at once number one after the other
    same = submission.runs.filter(purpose=purpose)
    if same.filter(state__in=LIVE_STATES).exists():
        raise IllegalTransition(
            "A run of this submission is still under way.", fix="Wait for its end, or cancel it."
        )
    run = _planned(submission, purpose, source, sequence=same.count() + 1)
    run.turn = turn_of(run)
    run.estimated_start_at = estimated_start(run)
    run.full_clean()
    run.save()
    RunEvent.objects.create(run=run, sequence=1, to_state=RunState.QUEUED, actor=actor[:200])
    if purpose == Run.Purpose.SCORE and submission.team is not None and not is_free:
        QuotaEntry.objects.create(team=submission.team, phase=submission.phase, run=run)
    outbox.promise_nudge()
    return run


def claim(*, worker: str, ability: Ability) -> Claim | None:
    """Take the next queued run that this worker can do, or return None.

    Of several workers that reach for one run, one gets it. A worker without a sandbox gets only archives that
    the project itself ships.
    """
    order = due().filter(within(ability)).order_by(*ORDER).values_list("pk", "fence")
    for run_id, fence in order[:CANDIDATES]:
        if taken := _take(run_id, fence, worker):
            return taken
    return None


def nudge_if_waiting() -> bool:
    """Promise a nudge where runs wait, so that a lost message is made good; say whether any do."""
    if not due().exists():
        return False
    if Outbox.objects.filter(topic=Outbox.Topic.NUDGE).exists():  # one is on its way, or waits for the broker
        return True
    with transaction.atomic():
        outbox.promise_nudge()
    return True


def _planned(submission: Submission, purpose: Run.Purpose, source: Run | None, *, sequence: int) -> Run:
    """Fill in a run; a rescoring runs no generator, so it asks for neither its device nor a sandbox."""
    phase, is_rescoring = submission.phase, purpose == Run.Purpose.RESCORE
    return Run(
        submission=submission,
        purpose=purpose,
        source=source,
        sequence=sequence,
        priority=PRIORITIES[purpose],
        queued_at=timezone.now(),
        event_count=1,
        suite=phase.suite,
        device="cpu" if is_rescoring else submission.manifest["device"],
        runtime=submission.manifest["runtime"],
        memory_mb=0 if is_rescoring else phase.memory_mb,
        needs_sandbox=not (is_rescoring or submission.is_shipped),
        pairs_total=phase.dataset_version.pairs.count(),
    )


def _take(run_id: UUID, fence: int, worker: str) -> Claim | None:
    """Try to get a run; before its first start it is given the suite that its phase has by now."""
    suite = Subquery(Phase.objects.filter(submissions__runs=OuterRef("pk")).values("suite"))
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
                "lease_expires_at": in_seconds(settings.LEASE_SECONDS),
                "last_sign_of_life": Now(),
                "started_at": Now(),
                "not_before": None,
                "pairs_done": 0,
                **({"suite": suite} if fence == 0 else {}),
            },
        )
    except (StaleFence, IllegalTransition):  # another worker was first
        return None
    return Claim(run_id=run_id, fence=fence + 1, worker=worker)
