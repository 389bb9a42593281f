"""What services write and nobody decides about: the admin only shows it."""

from django.contrib import admin

from competitions import models
from competitions.admin.base import ReadOnlyAdmin


@admin.register(models.RunEvent)
class RunEventAdmin(ReadOnlyAdmin):
    """The history of runs."""

    list_display = ("created_at", "run", "from_state", "to_state", "actor", "detail")
    list_select_related = ("run__submission",)
    search_fields = ("run__id",)


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


@admin.register(models.Webhook)
class WebhookAdmin(ReadOnlyAdmin):
    """Addresses that are told; their secrets are nobody's business."""

    list_display = ("url", "team", "competition", "events", "is_active", "created_at")
    list_select_related = ("team", "competition")
    exclude = ("secret",)


@admin.register(models.WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    """What was sent."""

    list_display = ("created_at", "webhook", "event", "state", "attempts", "status", "error")
    list_filter = ("state", "event")
    list_select_related = ("webhook",)


@admin.register(models.PhaseNotice)
class PhaseNoticeAdmin(ReadOnlyAdmin):
    """Openings and closings that were told."""

    list_display = ("moment", "phase", "event")
    list_select_related = ("phase__competition",)


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
        models.BoardVersion,
        models.Dataset,
        models.DatasetVersion,
        models.Disqualification,
        models.FinalChoice,
        models.IdempotencyKey,
        models.LeaderboardRow,
        models.MetricSuite,
        models.RunLogChunk,
        models.RunOutput,
        models.RunShard,
        models.Score,
        models.Upload,
        models.UploadPart,
    ),
    ReadOnlyAdmin,
)


@admin.register(models.Draft)
class DraftAdmin(ReadOnlyAdmin):
    """What organizers have typed so far."""

    list_display = ("competition", "updated_at", "dataset_version")
    list_select_related = ("competition", "dataset_version__dataset")


@admin.register(models.DataSurvey)
class DataSurveyAdmin(ReadOnlyAdmin):
    """Files that wait for a worker, or were refused."""

    list_display = ("asked_at", "draft", "state", "files_done", "files_total", "seen_at")
    list_select_related = ("draft__competition",)


@admin.register(models.Announcement)
class AnnouncementAdmin(ReadOnlyAdmin):
    """What organizers told everybody."""

    list_display = ("created_at", "competition", "title", "author")
    list_select_related = ("competition", "author")


@admin.register(models.Competition.history.model, models.Phase.history.model)
class HistoryAdmin(ReadOnlyAdmin):
    """What competitions and phases were before each change."""

    list_display = ("history_date", "history_user", "history_type", "__str__")
