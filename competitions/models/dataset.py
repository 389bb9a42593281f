"""Datasets of content/style pairs, in versions that never change."""

from django.db import models

from competitions.models.artifact import Artifact


class Dataset(models.Model):
    """A named collection of pairs."""

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=120)

    def __str__(self) -> str:
        return self.title


class DatasetVersion(models.Model):
    """One immutable state of a dataset; `digest` covers every pair and image."""

    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, unique=True)
    size = models.PositiveIntegerField(help_text="Side of every image in pixels")
    credits = models.TextField(blank=True)
    report = models.JSONField(default=dict, blank=True, help_text="what was found when it was taken in")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "number"], name="dataset_version_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} v{self.number}"


class ImagePair(models.Model):
    """A content image and a style image that a generator has to bring together."""

    class Split(models.TextChoices):
        """Public pairs may be seen by anyone; hidden pairs by nobody but the worker."""

        PUBLIC = "public"
        HIDDEN = "hidden"

    version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="pairs")
    name = models.CharField(max_length=64)
    content = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="+")
    style = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="+")
    split = models.CharField(max_length=6, choices=Split.choices)
    style_family = models.CharField(max_length=64)
    culture = models.CharField(max_length=64)
    content_kind = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "name"], name="pair_name_once_per_version"),
            models.UniqueConstraint(fields=["version", "content", "style"], name="pair_once_per_version"),
            models.CheckConstraint(
                condition=models.Q(split__in=["public", "hidden"]), name="pair_split_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.name}"
