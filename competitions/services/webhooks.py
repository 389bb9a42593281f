"""Webhooks: who wants to be told, and the messages that an event writes into its own transaction."""

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Team, User
from competitions.errors import NotAllowed, NotFound, TooManyWebhooks
from competitions.models import (
    Competition,
    LeaderboardSnapshot,
    Outbox,
    Phase,
    PhaseNotice,
    Run,
    Submission,
    Webhook,
    WebhookDelivery,
)
from competitions.selectors.access import organized_competitions
from competitions.selectors.webhooks import MOST, Owner, get_delivery, get_webhook, owned_teams
from competitions.webhook_line import check_address, make_secret

LATE = timedelta(days=1)  # what happened longer ago is no news


@transaction.atomic
def create_webhook(*, user: User, owner: Owner, url: str, events: Collection[str]) -> Webhook:
    """Have an address told from now on.

    Raises:
        NotFound, NotAllowed: the user does not run such a team or competition.
        AddressRefused: the address is malformed, or leads into a private network.
        TooManyWebhooks: the owner has as many as there may be.
    """
    team, competition = _find_owner(user, owner)
    check_address(url, may_be_private=settings.WEBHOOKS_TO_PRIVATE)
    # two requests at once cannot share the last place
    holder: Team | Competition | None = None
    if team is not None:
        holder = Team.objects.select_for_update().get(pk=team.pk)
    elif competition is not None:
        holder = Competition.objects.select_for_update().get(pk=competition.pk)
    if holder is None or holder.webhooks.count() >= MOST:
        raise TooManyWebhooks
    hook = Webhook(team=team, competition=competition, url=url, secret=make_secret(), made_by=user)
    hook.events = _words(events)
    hook.full_clean()
    hook.save()
    return hook


@transaction.atomic
def change_webhook(*, webhook_id: UUID, user: User, events: Collection[str], is_active: bool) -> Webhook:
    """Choose other events, or switch a webhook off or on.

    Raises:
        NotFound: the user manages no such webhook.
    """
    hook = get_webhook(webhook_id, user)
    hook.events, hook.is_active = _words(events), is_active
    hook.full_clean()
    hook.save()
    return hook


def delete_webhook(*, webhook_id: UUID, user: User) -> None:
    """Forget a webhook with its log.

    Raises:
        NotFound: the user manages no such webhook.
    """
    get_webhook(webhook_id, user).delete()


@transaction.atomic
def replay(*, webhook_id: UUID, delivery_id: UUID, user: User) -> WebhookDelivery:
    """Send the same content once more, under an id of its own.

    Raises:
        NotFound: the user manages no such webhook, or it has no such delivery.
    """
    known = get_delivery(webhook_id, delivery_id, user)
    return _write(known.webhook, known.event, known.body)


def tell_run_finished(run: Run) -> None:
    """Tell the team and the organizers that a run has ended."""
    submission = run.submission
    team = submission.team
    data = {
        "team": team.slug if team else None,
        "submission": str(submission.pk),
        "run": str(run.pk),
        "purpose": run.purpose,
        "state": run.state,
        "failure_code": run.failure_code or None,
    }
    _tell(Webhook.Event.RUN_FINISHED, submission.phase, data, Q(team=team) if team else Q(pk__in=[]))


def tell_board_changed(snapshot: LeaderboardSnapshot, phase: Phase) -> None:
    """Tell the organizers, and the teams that take part, that there is a new board."""
    _tell(Webhook.Event.BOARD_CHANGED, phase, {"snapshot": snapshot.pk}, _participants(phase))


def tell_of_phases() -> None:
    """Tell what phases have opened or closed since somebody last looked."""
    now = timezone.now()
    for event, name in ((Webhook.Event.PHASE_OPENED, "opens_at"), (Webhook.Event.PHASE_CLOSED, "closes_at")):
        recent = {f"{name}__lte": now, f"{name}__gt": now - LATE}
        for phase in Phase.objects.filter(competition__is_published=True, **recent):
            moment = getattr(phase, name)
            with transaction.atomic():
                if PhaseNotice.objects.get_or_create(phase=phase, event=event, moment=moment)[1]:
                    _tell(event, phase, {name: _utc(moment)}, _participants(phase))


def _find_owner(user: User, owner: Owner) -> tuple[Team | None, Competition | None]:
    if owner.kind == Owner.TEAM:
        team = owned_teams(user).filter(slug=owner.slug).first()
        if team is not None:
            return team, None
        if user.teams.filter(slug=owner.slug).exists():
            raise NotAllowed("Only owners of the team can do this.")
        raise NotFound("This is none of your teams.")
    competition = organized_competitions(user).filter(slug=owner.slug).first()
    if competition is None:
        raise NotFound("There is no such competition, or you do not organize it.")
    return None, competition


def _participants(phase: Phase) -> Q:
    """Select the webhooks of teams that have handed something in; none before the competition is published."""
    if not phase.competition.is_published:
        return Q(pk__in=[])
    entries = Submission.objects.filter(phase__competition=phase.competition_id, team__isnull=False)
    return Q(team__in=entries.values("team"))


def _tell(event: Webhook.Event, phase: Phase, data: Mapping[str, object], of_teams: Q) -> None:
    about = {"competition": phase.competition.slug, "phase": phase.slug, **data}
    body = json.dumps({"type": event.value, "timestamp": _utc(timezone.now()), "data": about})
    wanted = Webhook.objects.filter(of_teams | Q(competition=phase.competition_id), is_active=True)
    for hook in wanted:
        if hook.wants(event):
            _write(hook, event, body)


def _write(hook: Webhook, event: str, body: str) -> WebhookDelivery:
    delivery = WebhookDelivery.objects.create(webhook=hook, event=event, body=body)
    Outbox.objects.create(topic=Outbox.Topic.WEBHOOK, key=str(delivery.pk), not_before=Now())
    return delivery


def _words(events: Collection[str]) -> str:
    return " ".join(event for event in Webhook.Event.values if event in events)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
