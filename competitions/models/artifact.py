"""Files by their content: archives, images, stylized outputs, per-pair scores, statistics of shards."""

from django.db import models


class Artifact(models.Model):
    """One stored file; its name in the storage follows from its digest, so equal files are stored once."""

    class Kind(models.TextChoices):
        """What the file is."""

        ARCHIVE = "archive"
        IMAGE = "image"
        OUTPUT = "output"
        PAIR_SCORES = "pair_scores"
        STATISTICS = "statistics"

    sha256 = models.CharField(max_length=64, unique=True)
    size = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["archive", "image", "output", "pair_scores", "statistics"]),
                name="artifact_kind_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(sha256__regex=r"^[0-9a-f]{64}$"), name="artifact_sha256_is_hex"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.sha256[:12]}"
