"""Signs that an entry plays the score, for organizers to look at."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from competitions.models.run import Run


class RunFlag(models.Model):
    """One sign that was seen in a run's outputs; nobody but organizers sees it before one of them confirms it."""

    class Verdict(models.TextChoices):
        """What an organizer made of it."""

        OPEN = "open"
        CONFIRMED = "confirmed"
        DISMISSED = "dismissed"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="flags")
    code = models.CharField(max_length=32)
    strength = models.FloatField(help_text="what was measured")
    threshold = models.FloatField(help_text="from where on the sign is raised")
    sentence = models.CharField(max_length=500)
    created_at = models.DateTimeField(auto_now_add=True)
    verdict = models.CharField(max_length=9, choices=Verdict.choices, default=Verdict.OPEN)
    note = models.CharField(max_length=500, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "code"], name="flag_once_per_run"),
            models.CheckConstraint(
                condition=Q(verdict="open", reviewed_at__isnull=True)
                | Q(verdict__in=["confirmed", "dismissed"], reviewed_at__isnull=False),
                name="verdict_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} in {self.run}: {self.verdict}"
