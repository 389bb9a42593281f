"""What has to happen after a transaction, written within it, so that a crash cannot lose it."""

from django.db import models


class Outbox(models.Model):
    """One effect to bring about: deleted when done, tried again with growing pauses until then."""

    class Topic(models.TextChoices):
        """The effects there are."""

        NUDGE = "nudge"
        ASSIST = "assist"
        REFRESH_LEADERBOARD = "refresh"
        WEBHOOK = "webhook"
        SURVEY = "survey"

    topic = models.CharField(max_length=10, choices=Topic.choices)
    key = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    not_before = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name_plural = "outbox"
        indexes = [models.Index(fields=["not_before"], name="outbox_due")]

    def __str__(self) -> str:
        return f"{self.topic} {self.key}"
