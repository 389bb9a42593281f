"""Files of a competition that are many, on their way to a worker who looks at each of them."""

from django.db import models
from django.db.models import Q

from competitions.models.draft import Draft
from competitions.models.upload import Upload


class DataSurvey(models.Model):
    """An upload that a worker is to look at, looks at, or has refused; gone as soon as its report is kept.

    `fence` grows with each start: a worker who holds an earlier number writes nothing any more. `problem` holds
    code, message, fix and fields of the refusal.
    """

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting"
        RUNNING = "running"
        REFUSED = "refused"

    draft = models.OneToOneField(Draft, on_delete=models.CASCADE, related_name="survey")
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    fence = models.PositiveIntegerField(default=0)
    files_done = models.PositiveIntegerField(default=0)
    files_total = models.PositiveIntegerField()
    asked_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="the last sign of the worker, or of whoever asked")
    problem = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "asked_at"], name="survey_waiting")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running", "refused"]), name="survey_state_is_known"
            )
        ]

    def __str__(self) -> str:
        return f"survey of {self.draft} {self.state}"
