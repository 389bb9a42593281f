"""Attempts to evaluate a submission: state, lease, history, log, outputs and scores."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from competitions.models.artifact import Artifact
from competitions.models.competition import MetricSuite
from competitions.models.dataset import ImagePair
from competitions.models.submission import Submission
from competitions.rules import LEASED_STATES, LIVE_STATES, RunState
from evaluation.failures import Fault

STATES = [state.value for state in RunState]


class Run(models.Model):
    """One evaluation of a submission. The row is the job: a worker owns it through lease and fence.

    Every claim raises `fence`; a write that carries an older fence is refused. `attempts` counts claims,
    `sequence` counts runs of the same submission and purpose. `priority` and `turn` are its place in the queue,
    `device`, `memory_mb`, `runtime` and `needs_sandbox` what it asks of a worker. A rescoring reads the outputs
    of `source`. `estimated_start_at` is what its team was told when it was queued.
    """

    class Purpose(models.TextChoices):
        """Why the run exists."""

        SCORE = "score"
        DRY_RUN = "dry_run"
        RESCORE = "rescore"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="runs")
    purpose = models.CharField(max_length=8, choices=Purpose.choices, default=Purpose.SCORE)
    sequence = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=10, choices=[(s, s) for s in STATES], default=RunState.QUEUED)
    suite = models.ForeignKey(MetricSuite, on_delete=models.PROTECT, related_name="runs")
    source = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="rescores"
    )
    priority = models.SmallIntegerField(default=0)
    turn = models.PositiveBigIntegerField(default=0)
    device = models.CharField(max_length=8, default="cpu")
    memory_mb = models.PositiveIntegerField(default=0)
    runtime = models.CharField(max_length=40, blank=True)
    needs_sandbox = models.BooleanField(default=True)
    estimated_start_at = models.DateTimeField(null=True, blank=True)
    queued_at = models.DateTimeField()
    not_before = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    lease_owner = models.CharField(max_length=200, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    last_sign_of_life = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    pairs_done = models.PositiveIntegerField(default=0)
    pairs_total = models.PositiveIntegerField(default=0)
    event_count = models.PositiveIntegerField(default=0)
    failure_code = models.CharField(max_length=32, blank=True)
    failure_detail = models.TextField(blank=True)
    fault = models.CharField(max_length=11, choices=[(f.value, f.value) for f in Fault], default=Fault.NONE)
    manifest = models.JSONField(default=dict, blank=True)
    pair_scores = models.ForeignKey(
        Artifact, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    n_pairs = models.PositiveIntegerField(default=0)
    n_valid = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(
                fields=[
                    "priority",
                    "turn",
                    "queued_at",
                    "id",
                    "needs_sandbox",
                    "device",
                    "runtime",
                    "memory_mb",
                ],
                condition=Q(state="queued"),
                name="run_queue",
            ),
            models.Index(
                fields=["lease_expires_at"],
                condition=Q(state__in=[s.value for s in LEASED_STATES]),
                name="run_leases",
            ),
            models.Index(fields=["priority", "-started_at"], name="run_last_started"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=STATES), name="run_state_is_known"),
            models.UniqueConstraint(fields=["submission", "purpose", "sequence"], name="run_sequence_once"),
            models.UniqueConstraint(
                fields=["submission", "purpose"],
                condition=Q(state__in=[s.value for s in LIVE_STATES]),
                name="one_live_run_per_submission_and_purpose",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[s.value for s in LEASED_STATES])
                | (Q(lease_expires_at__isnull=False) & ~Q(lease_owner="")),
                name="running_run_has_a_lease",
            ),
            models.CheckConstraint(
                condition=~Q(state="queued") | Q(lease_expires_at__isnull=True, lease_owner=""),
                name="queued_run_has_no_lease",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["scored", "failed", "cancelled"], finished_at__isnull=False)
                | (~Q(state__in=["scored", "failed", "cancelled"]) & Q(finished_at__isnull=True)),
                name="run_ended_when_it_says_so",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | (~Q(failure_code="") & ~Q(fault="none")),
                name="failed_run_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(state="scored") | Q(pair_scores__isnull=False, n_pairs__gt=0),
                name="scored_run_has_scores",
            ),
            models.CheckConstraint(
                condition=Q(purpose="rescore", source__isnull=False)
                | (~Q(purpose="rescore") & Q(source__isnull=True)),
                name="rescoring_has_a_source",
            ),
        ]

    def __str__(self) -> str:
        return f"run {str(self.pk)[:8]} of {self.submission}: {self.state}"


class RunEvent(models.Model):
    """One change of a run's state; only ever added."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="events")
    sequence = models.PositiveIntegerField()
    from_state = models.CharField(max_length=10, blank=True)
    to_state = models.CharField(max_length=10)
    actor = models.CharField(max_length=200)
    detail = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "sequence"], name="event_sequence_once")]

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"


class RunLogChunk(models.Model):
    """A piece of what the generator wrote to stderr; withheld once hidden images were shown to it."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="log_chunks")
    sequence = models.PositiveIntegerField()
    text = models.TextField()
    is_withheld = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "sequence"], name="log_sequence_once")]

    def __str__(self) -> str:
        return f"log chunk {self.sequence}"


class RunOutput(models.Model):
    """The stylized image of one pair, stored as soon as it is made."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="outputs")
    pair = models.ForeignKey(ImagePair, on_delete=models.PROTECT, related_name="+")
    artifact = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="+")
    seconds = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "pair"], name="output_once_per_pair")]

    def __str__(self) -> str:
        return f"output for {self.pair}"


class Score(models.Model):
    """The aggregate of one metric over one split of a run, with its 95 % interval."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="scores")
    metric = models.CharField(max_length=60)
    split = models.CharField(max_length=6, choices=ImagePair.Split.choices)
    value = models.FloatField()
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    n = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "metric", "split"], name="score_once_per_metric")
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.value:.4f}"
