"""What organizers have typed so far, before it becomes phases; and what they tell everybody afterwards."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from competitions.models.competition import Competition
from competitions.models.dataset import DatasetVersion


class Draft(models.Model):
    """The set-up of a competition, step by step.

    `answers` holds what was accepted, `typed` what was sent last where it was not: nothing that somebody typed
    is lost. `report` tells about the files sent last, whether a dataset came of them or not. `tried` names the
    submissions of the last dry run and the set-up that they tried.
    """

    competition = models.OneToOneField(Competition, on_delete=models.CASCADE, related_name="draft")
    answers = models.JSONField(default=dict, blank=True, help_text="step -> field -> value")
    typed = models.JSONField(default=dict, blank=True, help_text="step -> field -> what was typed")
    dataset_version = models.ForeignKey(
        DatasetVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="drafts"
    )
    report = models.JSONField(default=dict, blank=True)
    tried = models.JSONField(default=dict, blank=True, help_text="setup: digest, submissions: ids")
    untried_reason = models.CharField(max_length=500, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"draft of {self.competition}"


class Announcement(models.Model):
    """Something that the organizers tell everybody; never changed afterwards."""

    competition = models.ForeignKey(Competition, on_delete=models.CASCADE, related_name="announcements")
    title = models.CharField(max_length=120)
    text = models.TextField(blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [models.CheckConstraint(condition=~Q(title=""), name="announcement_has_a_title")]

    def __str__(self) -> str:
        return self.title
