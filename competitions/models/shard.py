"""Parts of a run that several workers take, each with a lease of its own."""

from django.db import models
from django.db.models import Q

from competitions.models.artifact import Artifact
from competitions.models.run import Run


class RunShard(models.Model):
    """Some pairs of a run in the order in which they are shown; open, leased to a worker, or done.

    A done shard keeps its per-pair scores and what the set-level metrics need of its outputs, so a later attempt
    at the run, or the worker that puts the parts together, does not compute them again.
    """

    class State(models.TextChoices):
        """Where a shard stands."""

        OPEN = "open"
        LEASED = "leased"
        DONE = "done"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="shards")
    index = models.PositiveIntegerField()
    pairs = models.JSONField(help_text="names of the pairs, in order")
    state = models.CharField(max_length=6, choices=State.choices, default=State.OPEN)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    lease_owner = models.CharField(max_length=200, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    pairs_done = models.PositiveIntegerField(default=0)
    provenance = models.JSONField(default=dict, blank=True)
    pair_scores = models.ForeignKey(
        Artifact, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    statistics = models.ForeignKey(
        Artifact, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["index"]
        indexes = [
            models.Index(fields=["run", "index"], condition=Q(state="open"), name="shard_open"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["run", "index"], name="shard_index_once"),
            models.CheckConstraint(
                condition=Q(state="leased", lease_expires_at__isnull=False) & ~Q(lease_owner="")
                | Q(state__in=["open", "done"], lease_expires_at__isnull=True, lease_owner=""),
                name="leased_shard_has_a_lease",
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(pair_scores__isnull=False), name="done_shard_has_scores"
            ),
        ]

    def __str__(self) -> str:
        return f"shard {self.index} of {self.run}: {self.state}"
