"""Competitions, their phases, and the metric suites they are scored by."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from competitions.models.dataset import DatasetVersion

MAX_RUN_SECONDS = 5 * 3600  # stays below the time limit of the message system (CELERY_TASK_TIME_LIMIT)


class MetricSuite(models.Model):
    """One immutable version of how outputs become a score, as a document of `evaluation.spec`."""

    name = models.CharField(max_length=80, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    document = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Competition(models.Model):
    """A question put to the field: these pairs, this suite, these dates.

    The texts in Chinese are shown to its readers; where one is empty they get the other one. A competition that
    is not listed is found by those who know its address.
    """

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=120)
    title_zh = models.CharField(max_length=120, blank=True)
    summary = models.CharField(max_length=300, blank=True)
    summary_zh = models.CharField(max_length=300, blank=True)
    description = models.TextField(blank=True)
    description_zh = models.TextField(blank=True)
    is_published = models.BooleanField(default=False)
    is_listed = models.BooleanField(default=True)
    organizers = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Organizer", related_name="organizes"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    history = HistoricalRecords(excluded_fields=["created_at"])

    def __str__(self) -> str:
        return self.title


class Organizer(models.Model):
    """That a user runs a competition."""

    competition = models.ForeignKey(Competition, on_delete=models.CASCADE, related_name="organizer_rows")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="organizer_rows"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["competition", "user"], name="organizer_once")]

    def __str__(self) -> str:
        return f"{self.user} organizes {self.competition}"


class Phase(models.Model):
    """A window in which submissions are taken, with its data, suite, quotas and limits."""

    class Counting(models.TextChoices):
        """Which of a team's scored submissions stands on the board."""

        BEST = "best"
        LATEST = "latest"

    class Device(models.TextChoices):
        """What the phase's runs get; with a GPU, generators for either device are taken."""

        CPU = "cpu"
        GPU = "gpu"

    competition = models.ForeignKey(Competition, on_delete=models.PROTECT, related_name="phases")
    slug = models.SlugField(max_length=60)
    title = models.CharField(max_length=120)
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    dataset_version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="phases")
    suite = models.ForeignKey(MetricSuite, on_delete=models.PROTECT, related_name="phases")
    runs_per_day = models.PositiveIntegerField(default=5, validators=[MinValueValidator(1)])
    runs_total = models.PositiveIntegerField(default=100, validators=[MinValueValidator(1)])
    required_coverage = models.FloatField(
        default=0.99, validators=[MinValueValidator(0.5), MaxValueValidator(1)]
    )
    counting = models.CharField(max_length=6, choices=Counting.choices, default=Counting.BEST)
    finals_per_team = models.PositiveSmallIntegerField(
        default=1,
        validators=[MaxValueValidator(10)],
        help_text="How many submissions a team may choose to be ranked by; 0: the rule above decides alone",
    )
    device = models.CharField(max_length=3, choices=Device.choices, default=Device.CPU)
    memory_mb = models.PositiveIntegerField(default=4096, validators=[MinValueValidator(256)])
    load_seconds = models.PositiveIntegerField(default=120, validators=[MinValueValidator(1)])
    pair_seconds = models.PositiveIntegerField(default=10, validators=[MinValueValidator(1)])
    run_seconds = models.PositiveIntegerField(default=3600, validators=[MaxValueValidator(MAX_RUN_SECONDS)])
    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["competition", "slug"], name="phase_slug_once"),
            models.CheckConstraint(
                condition=Q(opens_at__lt=F("closes_at")), name="phase_opens_before_it_closes"
            ),
            models.CheckConstraint(
                condition=Q(required_coverage__gt=0, required_coverage__lte=1),
                name="phase_coverage_is_a_share",
            ),
            models.CheckConstraint(
                condition=Q(counting__in=["best", "latest"]), name="phase_counting_is_known"
            ),
            models.CheckConstraint(condition=Q(device__in=["cpu", "gpu"]), name="phase_device_is_known"),
            models.CheckConstraint(
                condition=Q(run_seconds__lte=MAX_RUN_SECONDS), name="phase_run_seconds_bounded"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.competition}: {self.title}"
