"""The domain in Django's admin: competitions and dates may be edited, what runs rely on is only shown."""

from typing import cast

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.models import User
from competitions import models
from competitions.services.flags import review_flag


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that services write and nobody edits."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        return False


class OrganizerInline(admin.TabularInline):
    """Who runs a competition."""

    model = models.Organizer
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(models.Competition)
class CompetitionAdmin(admin.ModelAdmin):
    """Texts, publication and organizers of a competition; its address stays."""

    list_display = ("slug", "title", "is_published", "created_at")
    search_fields = ("slug", "title")
    inlines = (OrganizerInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Fix the slug of a competition that exists."""
        return ("slug",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: unpublish it instead."""
        return False


@admin.register(models.Phase)
class PhaseAdmin(admin.ModelAdmin):
    """Dates and quotas of a phase; data, suite and limits decide scores, so they are fixed once it exists."""

    list_display = ("competition", "slug", "opens_at", "closes_at", "runs_per_day", "runs_total")
    list_filter = ("competition",)
    fixed = (
        "competition",
        "slug",
        "dataset_version",
        "suite",
        "required_coverage",
        "counting",
        "device",
        "memory_mb",
        "load_seconds",
        "pair_seconds",
        "run_seconds",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Fix what scores depend on."""
        return self.fixed if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: close it instead."""
        return False


@admin.register(models.Submission)
class SubmissionAdmin(ReadOnlyAdmin):
    """Submissions, by phase and team."""

    list_display = ("id", "name", "kind", "team", "phase", "is_shipped", "created_at")
    list_filter = ("kind", "phase")
    list_select_related = ("team", "phase__competition")
    search_fields = ("id", "name", "team__name")


@admin.register(models.Run)
class RunAdmin(ReadOnlyAdmin):
    """Runs, by state and failure."""

    list_display = ("id", "submission", "state", "failure_code", "attempts", "queued_at", "finished_at")
    list_filter = ("state", "failure_code", "purpose")
    list_select_related = ("submission",)
    search_fields = ("id", "submission__name")


@admin.register(models.RunEvent)
class RunEventAdmin(ReadOnlyAdmin):
    """The history of runs."""

    list_display = ("created_at", "run", "from_state", "to_state", "actor", "detail")
    list_select_related = ("run__submission",)
    search_fields = ("run__id",)


@admin.register(models.RunFlag)
class RunFlagAdmin(ReadOnlyAdmin):
    """Flags against gaming; the actions give verdicts, by the same service as the pages."""

    list_display = (
        "created_at",
        "competition",
        "run",
        "code",
        "strength",
        "sentence",
        "verdict",
        "reviewed_by",
    )
    list_filter = ("verdict", "code", "run__submission__phase__competition")
    list_select_related = ("run__submission__phase__competition", "reviewed_by")
    search_fields = ("run__id", "run__submission__name", "run__submission__team__name")
    ordering = ("-created_at", "-pk")
    actions = ("confirm", "dismiss", "reopen")

    @admin.display(ordering="run__submission__phase__competition")
    def competition(self, flag: models.RunFlag) -> str:
        """Name the competition."""
        return str(flag.run.submission.phase.competition)

    @admin.action(description="Confirm: everybody sees them")
    def confirm(self, request: HttpRequest, chosen: QuerySet[models.RunFlag]) -> None:
        """Confirm the chosen flags."""
        self._review(request, chosen, models.RunFlag.Verdict.CONFIRMED)

    @admin.action(description="Dismiss: nobody but organizers sees them")
    def dismiss(self, request: HttpRequest, chosen: QuerySet[models.RunFlag]) -> None:
        """Dismiss the chosen flags."""
        self._review(request, chosen, models.RunFlag.Verdict.DISMISSED)

    @admin.action(description="Open again: they wait for a verdict")
    def reopen(self, request: HttpRequest, chosen: QuerySet[models.RunFlag]) -> None:
        """Take verdicts back."""
        self._review(request, chosen, models.RunFlag.Verdict.OPEN)

    def _review(self, request: HttpRequest, chosen: QuerySet[models.RunFlag], verdict: str) -> None:
        for flag in chosen:
            review_flag(flag_id=flag.pk, user=cast(User, request.user), verdict=verdict, note=flag.note)
        self.message_user(request, f"{len(chosen)} now {verdict}.")


@admin.register(models.Artifact)
class ArtifactAdmin(ReadOnlyAdmin):
    """Stored files."""

    list_display = ("sha256", "kind", "size", "created_at")
    list_filter = ("kind",)
    search_fields = ("sha256",)


@admin.register(models.Outbox)
class OutboxAdmin(ReadOnlyAdmin):
    """Effects that are still to be brought about."""

    list_display = ("topic", "key", "created_at", "not_before", "attempts", "last_error")


@admin.register(models.QuotaEntry)
class QuotaEntryAdmin(ReadOnlyAdmin):
    """What was reserved, charged and refunded."""

    list_display = ("created_at", "team", "phase", "state", "settled_at")
    list_filter = ("state", "phase")
    list_select_related = ("team", "phase__competition")


@admin.register(models.Worker)
class WorkerAdmin(ReadOnlyAdmin):
    """The workers that were seen."""

    list_display = ("name", "seen_at", "driver", "can_run_untrusted", "reason")


@admin.register(models.ImagePair)
class ImagePairAdmin(ReadOnlyAdmin):
    """Pairs, hidden ones too: the admin is for people who may see them."""

    list_display = ("name", "version", "split", "style_family", "culture", "content_kind")
    list_filter = ("split", "version")
    list_select_related = ("version__dataset",)


@admin.register(models.LeaderboardSnapshot)
class LeaderboardSnapshotAdmin(ReadOnlyAdmin):
    """Boards as they stood."""

    list_display = ("id", "phase", "suite_name", "n_pairs", "seed", "created_at")
    list_filter = ("phase",)
    list_select_related = ("phase__competition",)


admin.site.register(
    (
        models.Dataset,
        models.DatasetVersion,
        models.Disqualification,
        models.LeaderboardRow,
        models.MetricSuite,
        models.RunLogChunk,
        models.RunOutput,
        models.RunShard,
        models.Score,
    ),
    ReadOnlyAdmin,
)
