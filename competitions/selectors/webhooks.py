"""Read webhooks, whom they belong to, and what was sent to them."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import Membership, Team, User
from competitions.errors import NotFound
from competitions.models import Webhook, WebhookDelivery
from competitions.selectors.access import organized_competitions

MOST = 10  # webhooks of one team or one competition
SHOWN_DELIVERIES = 50
EVENTS = tuple(Webhook.Event.values)


@dataclass(frozen=True)
class Owner:
    """Whose events are told: a team's, or a competition's."""

    TEAM: ClassVar[str] = "team"
    COMPETITION: ClassVar[str] = "competition"

    kind: str
    slug: str
    name: str = ""


def owned_teams(user: User) -> QuerySet[Team]:
    """Teams that the user manages, the team of one among them."""
    own = Membership.objects.filter(user=user, role=Membership.Role.OWNER)
    return Team.objects.filter(memberships__in=own)


def owners(user: User) -> list[Owner]:
    """List for whom the user may make webhooks."""
    teams = owned_teams(user).order_by("-is_personal", "name")
    contests = organized_competitions(user).order_by("title")
    return [Owner(Owner.TEAM, team.slug, team.name) for team in teams] + [
        Owner(Owner.COMPETITION, row.slug, row.title) for row in contests
    ]


def managed_webhooks(user: User) -> QuerySet[Webhook]:
    """Webhooks of teams that the user owns and of competitions that the user organizes."""
    mine = Q(team__in=owned_teams(user)) | Q(competition__in=organized_competitions(user))
    return Webhook.objects.filter(mine).select_related("team", "competition")


def get_webhook(webhook_id: UUID, user: User) -> Webhook:
    """Return a webhook that the user manages, or raise NotFound."""
    hook = managed_webhooks(user).filter(pk=webhook_id).first()
    if hook is None:
        raise NotFound("There is no such webhook, or it is not yours.")
    return hook


def owner_of(hook: Webhook) -> Owner:
    """Say whose webhook it is."""
    if hook.team is not None:
        return Owner(Owner.TEAM, hook.team.slug, hook.team.name)
    if hook.competition is None:
        raise ValueError(hook.pk)  # the database does not allow this
    return Owner(Owner.COMPETITION, hook.competition.slug, hook.competition.title)


def deliveries_of(hook: Webhook) -> QuerySet[WebhookDelivery]:
    """What was sent to a webhook, or will be."""
    return WebhookDelivery.objects.filter(webhook=hook).select_related("webhook")


def latest_deliveries(hook: Webhook) -> list[WebhookDelivery]:
    """List the newest messages for a page."""
    return list(deliveries_of(hook).order_by("-created_at", "-pk")[:SHOWN_DELIVERIES])


def get_delivery(webhook_id: UUID, delivery_id: UUID, user: User) -> WebhookDelivery:
    """Return a message to a webhook that the user manages, or raise NotFound."""
    found = deliveries_of(get_webhook(webhook_id, user)).filter(pk=delivery_id).first()
    if found is None:
        raise NotFound("There is no such delivery; the log is kept for 30 days.")
    return found
