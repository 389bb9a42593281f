"""Where programs of others are told what happened, and what was sent to them."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Team
from competitions.models.competition import Competition


class Webhook(models.Model):
    """An address that a team or a competition wants told; `events` are words with spaces between them.

    The secret is shown once. It is stored as it is, because every message is signed with it.
    """

    class Event(models.TextChoices):
        """What there is to tell."""

        RUN_FINISHED = "run.finished"
        BOARD_CHANGED = "board.changed"
        PHASE_OPENED = "phase.opened"
        PHASE_CLOSED = "phase.closed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="webhooks")
    competition = models.ForeignKey(
        Competition, on_delete=models.CASCADE, null=True, blank=True, related_name="webhooks"
    )
    url = models.CharField(max_length=500)
    secret = models.CharField(max_length=60)
    events = models.CharField(max_length=100)
    is_active = models.BooleanField(default=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(team__isnull=True) ^ Q(competition__isnull=True), name="webhook_has_one_owner"
            )
        ]

    def __str__(self) -> str:
        return self.url

    def wants(self, event: str) -> bool:
        """Say whether the address is to be told."""
        return event in self.events.split()


class WebhookDelivery(models.Model):
    """One message to one address, as it is sent, and what came of the last attempt."""

    class State(models.TextChoices):
        """Pending ones are tried again."""

        PENDING = "pending"
        DELIVERED = "delivered"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=20, choices=Webhook.Event.choices)
    body = models.TextField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)
    milliseconds = models.PositiveIntegerField(null=True, blank=True)
    tried_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["pending", "delivered", "failed"]), name="delivery_state_is_known"
            )
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.state}"


class PhaseNotice(models.Model):
    """That the opening or the closing of a phase at this moment was told; another date is told anew."""

    phase = models.ForeignKey("competitions.Phase", on_delete=models.CASCADE, related_name="notices")
    event = models.CharField(max_length=20, choices=Webhook.Event.choices)
    moment = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["phase", "event", "moment"], name="phase_notice_once")]

    def __str__(self) -> str:
        return f"{self.event} {self.phase_id}"
