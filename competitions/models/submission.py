"""What a team handed in, and what it cost of the team's quota."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Team
from competitions.models.artifact import Artifact
from competitions.models.competition import Phase


class Submission(models.Model):
    """An archive handed in for a phase. Never changes; evaluating it is a `Run`."""

    class Kind(models.TextChoices):
        """Entries compete; baselines are put beside them for reference."""

        ENTRY = "entry"
        BASELINE = "baseline"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    phase = models.ForeignKey(Phase, on_delete=models.PROTECT, related_name="submissions")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, related_name="submissions", null=True, blank=True
    )
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="submissions", null=True, blank=True
    )
    name = models.CharField(max_length=100)
    note = models.CharField(max_length=500, blank=True)
    archive = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="submissions")
    manifest = models.JSONField()
    is_shipped = models.BooleanField(help_text="The project itself ships this archive, so it is trusted")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["phase", "team", "created_at"], name="submission_by_team")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="entry", team__isnull=False, submitted_by__isnull=False)
                | Q(kind="baseline", team__isnull=True),
                name="entry_has_a_team_and_baseline_has_none",
            ),
            models.UniqueConstraint(
                fields=["phase", "archive"], condition=Q(kind="baseline"), name="baseline_once_per_phase"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class FinalChoice(models.Model):
    """That a team wants to be ranked by this submission; without a choice the phase's rule chooses among all."""

    submission = models.OneToOneField(Submission, on_delete=models.PROTECT, related_name="final_choice")
    chosen_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.submission} is final"


class Disqualification(models.Model):
    """That an organizer took a submission off the board, and why; `lifted_at` puts it back."""

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="disqualifications")
    reason = models.CharField(max_length=500)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["submission"],
                condition=Q(lifted_at__isnull=True),
                name="one_standing_disqualification",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="disqualification_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.submission}: {self.reason}"


class QuotaEntry(models.Model):
    """One use of a team's quota: reserved when submitting, then charged or refunded when the run ends."""

    class State(models.TextChoices):
        """Reserved and charged count against the quota, refunded does not."""

        RESERVED = "reserved"
        CHARGED = "charged"
        REFUNDED = "refunded"

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="quota_entries")
    phase = models.ForeignKey(Phase, on_delete=models.PROTECT, related_name="quota_entries")
    run = models.OneToOneField("Run", on_delete=models.PROTECT, related_name="quota_entry")
    state = models.CharField(max_length=8, choices=State.choices, default=State.RESERVED)
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["team", "phase", "created_at"], name="quota_by_team")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="reserved", settled_at__isnull=True)
                | Q(state__in=["charged", "refunded"], settled_at__isnull=False),
                name="quota_is_reserved_or_settled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.team} {self.state}"
