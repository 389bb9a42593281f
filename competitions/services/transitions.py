"""The one function through which every change of a run's state goes."""

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from competitions.errors import IllegalTransition, NotFound, StaleFence
from competitions.models import QuotaEntry, Run, RunEvent
from competitions.rules import END_STATES, RunState, is_charged, states_before
from competitions.services import outbox, webhooks
from evaluation.failures import Fault

NO_LEASE = {"lease_owner": "", "lease_expires_at": None}


@transaction.atomic
def transition(
    *,
    run_id: UUID,
    to: RunState,
    actor: str,
    fence: int | None = None,
    detail: str = "",
    changes: Mapping[str, object] | None = None,
) -> Run:
    """Move a run to another state, or refuse.

    From-state and fence are checked in the same UPDATE that writes, so of two writers one wins and the other
    gets an error. The event and, at the end of a run, the quota are written in the same transaction.
    `fence=None` is for actors that do not own the run (cancel, the reaper).

    Raises:
        StaleFence: the run has passed to another worker or has ended.
        IllegalTransition: the run's state does not allow this.
    """
    rows = Run.objects.filter(pk=run_id, state__in=states_before(to))
    if fence is not None:
        rows = rows.filter(fence=fence)
    before = rows.select_for_update().values_list("state", flat=True).first()
    fields: dict[str, object] = {"state": to, "event_count": F("event_count") + 1, **(changes or {})}
    if to in END_STATES:
        fields |= NO_LEASE | {"finished_at": Now()}
    if before is None or not rows.filter(state=before).update(**fields):
        raise _refusal(run_id, to, fence)
    run = Run.objects.select_related("submission__phase__competition", "submission__team").get(pk=run_id)
    RunEvent.objects.create(
        run=run,
        sequence=run.event_count,
        from_state=before,
        to_state=to,
        actor=actor[:200],
        detail=detail[:500],
    )
    if to in END_STATES:
        _settle_quota(run)
        webhooks.tell_run_finished(run)
        if run.purpose == Run.Purpose.RESCORE:  # the board waits for the last of them, however it ends
            outbox.promise_board(run.submission.phase_id)
    return run


def _settle_quota(run: Run) -> None:
    charged = is_charged(RunState(run.state), Fault(run.fault), had_started=run.started_at is not None)
    state = QuotaEntry.State.CHARGED if charged else QuotaEntry.State.REFUNDED
    QuotaEntry.objects.filter(run=run, state=QuotaEntry.State.RESERVED).update(state=state, settled_at=Now())


def _refusal(run_id: UUID, to: RunState, fence: int | None) -> Exception:
    run = Run.objects.filter(pk=run_id).first()
    if run is None:
        return NotFound("There is no such run.")
    if fence is not None and (run.fence != fence or run.state in END_STATES or run.state == RunState.QUEUED):
        return StaleFence(f"The run is {run.state} with fence {run.fence}; this write carries fence {fence}.")
    return IllegalTransition(f"A run that is {run.state} cannot become {to}.")
