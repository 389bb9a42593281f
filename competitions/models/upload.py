"""Files on their way in, part by part, before anything is made of them; and the keys of requests that make things."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class Upload(models.Model):
    """A file that its owner sends in parts. It is whole when `state` says so, and gone when it expires.

    `name` is what the announced manifest calls the generator, or the kind of other files; what was sent is looked at
    when something is made of it.
    """

    class Kind(models.TextChoices):
        """What the file will be."""

        ARCHIVE = "archive"
        DATASET = "dataset"
        COMPETITION = "competition"

    class State(models.TextChoices):
        """Open ones take parts; of the others only finished ones keep them."""

        OPEN = "open"
        FINISHED = "finished"
        REJECTED = "rejected"
        DELETED = "deleted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads")
    kind = models.CharField(max_length=11, choices=Kind.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    name = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user", "state", "expires_at"], name="upload_by_user")]
        constraints = [
            models.CheckConstraint(condition=Q(size__gt=0), name="upload_is_not_empty"),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="upload_sha256_is_hex"),
            models.CheckConstraint(
                condition=Q(state__in=["open", "finished", "rejected", "deleted"]),
                name="upload_state_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.sha256[:12]} {self.state}"


class UploadPart(models.Model):
    """A part that has arrived and lies in the storage; never changed afterwards."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="parts")
    offset = models.PositiveBigIntegerField()
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["offset"]
        constraints = [models.UniqueConstraint(fields=["upload", "offset"], name="part_once_per_offset")]

    def __str__(self) -> str:
        return f"{self.upload_id} at {self.offset}"


class IdempotencyKey(models.Model):
    """That a user sent a request under a key; `status` and `body` are its answer, empty while it is under way."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="key_once_per_user")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.key[:20]}"
