"""Leaderboards as they stood: computed once, then only read."""

from django.db import models
from django.db.models import Q

from competitions.models.competition import Phase
from competitions.models.run import Run
from competitions.models.submission import Submission


class LeaderboardSnapshot(models.Model):
    """One immutable ranking of a phase; `inputs_digest` covers runs, suite, pairs, seed and draws."""

    phase = models.ForeignKey(Phase, on_delete=models.PROTECT, related_name="snapshots")
    inputs_digest = models.CharField(max_length=64)
    suite_name = models.CharField(max_length=80)
    suite_digest = models.CharField(max_length=64)
    dataset_digest = models.CharField(max_length=64)
    seed = models.PositiveBigIntegerField()
    draws = models.PositiveIntegerField()
    n_pairs = models.PositiveIntegerField()
    n_styles = models.PositiveIntegerField()
    n_contents = models.PositiveIntegerField()
    slices = models.JSONField(default=dict, blank=True, help_text="axis -> label -> [pairs, styles, is thin]")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        get_latest_by = "id"

    def __str__(self) -> str:
        return f"{self.phase} #{self.pk}"


class BoardVersion(models.Model):
    """How often what a phase's board says may have changed: two readings of one number are of one board.

    It counts what a snapshot does not tell: disqualifications, verdicts on flags, rescorings that begin and end.
    """

    phase = models.OneToOneField(
        Phase, on_delete=models.CASCADE, primary_key=True, related_name="board_version"
    )
    number = models.PositiveBigIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.phase_id} as of {self.number}"


class LeaderboardRow(models.Model):
    """One line of a snapshot. `rank` is empty for baselines and for runs below the required coverage."""

    snapshot = models.ForeignKey(LeaderboardSnapshot, on_delete=models.CASCADE, related_name="rows")
    position = models.PositiveIntegerField()
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+")
    rank = models.PositiveIntegerField(null=True, blank=True)
    rank_low = models.PositiveIntegerField(null=True, blank=True)
    rank_high = models.PositiveIntegerField(null=True, blank=True)
    group = models.PositiveIntegerField(null=True, blank=True)
    group_last = models.PositiveIntegerField(null=True, blank=True)
    p_next = models.FloatField(null=True, blank=True, help_text="corrected p of the step to the next rank")
    values = models.JSONField(help_text="metric -> [value, low, high]")
    slices = models.JSONField(default=dict, blank=True, help_text="axis -> label -> [value, low, high]")
    n_valid = models.PositiveIntegerField()
    unranked_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["snapshot", "position"], name="row_position_once"),
            models.UniqueConstraint(fields=["snapshot", "submission"], name="row_once_per_submission"),
            models.CheckConstraint(
                condition=Q(rank__isnull=True)
                | Q(rank_low__lte=models.F("rank"), rank_high__gte=models.F("rank")),
                name="rank_lies_in_its_interval",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.submission}"
