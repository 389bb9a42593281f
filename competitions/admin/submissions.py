"""Submissions, runs and flags in the admin: nobody edits them, the actions decide by the services of the pages."""

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest

from competitions import models
from competitions.admin.base import ReadOnlyAdmin, decide_each, operator
from competitions.services import moderation
from competitions.services.flags import review_flag


class ReasonForm(ActionForm):
    """The reason of a decision, beside the choice of the action."""

    reason = forms.CharField(max_length=500, required=False)


@admin.register(models.Submission)
class SubmissionAdmin(ReadOnlyAdmin):
    """Submissions, by phase and team."""

    list_display = ("id", "name", "kind", "team", "phase", "is_shipped", "created_at")
    list_filter = ("kind", "phase")
    list_select_related = ("team", "phase__competition")
    search_fields = ("id", "name", "team__name")
    actions = ("rerun", "disqualify", "reinstate")
    action_form = ReasonForm

    @admin.action(description="Run again, at no cost to the team")
    def rerun(self, request: HttpRequest, chosen: QuerySet[models.Submission]) -> None:
        """Queue the chosen submissions anew."""

        def decide(row: models.Submission) -> str:
            moderation.rerun(submission_id=row.pk, user=operator(request))
            return "queued."

        decide_each(request, chosen, decide)

    @admin.action(description="Disqualify for the reason beside this")
    def disqualify(self, request: HttpRequest, chosen: QuerySet[models.Submission]) -> None:
        """Take the chosen submissions off the board."""

        def decide(row: models.Submission) -> str:
            reason = request.POST.get("reason", "")
            moderation.disqualify(submission_id=row.pk, user=operator(request), reason=reason)
            return "disqualified."

        decide_each(request, chosen, decide)

    @admin.action(description="Reinstate")
    def reinstate(self, request: HttpRequest, chosen: QuerySet[models.Submission]) -> None:
        """Put the chosen submissions back onto the board."""

        def decide(row: models.Submission) -> str:
            moderation.lift(submission_id=row.pk, user=operator(request))
            return "reinstated."

        decide_each(request, chosen, decide)


@admin.register(models.Run)
class RunAdmin(ReadOnlyAdmin):
    """Runs, by state and failure."""

    list_display = ("id", "submission", "state", "failure_code", "attempts", "queued_at", "finished_at")
    list_filter = ("state", "failure_code", "purpose")
    list_select_related = ("submission",)
    search_fields = ("id", "submission__name")
    actions = ("cancel",)
    action_form = ReasonForm

    @admin.action(description="Cancel, at no cost to the team, for the reason beside this")
    def cancel(self, request: HttpRequest, chosen: QuerySet[models.Run]) -> None:
        """End the chosen runs."""

        def decide(run: models.Run) -> str:
            moderation.cancel_run(
                run_id=run.pk, user=operator(request), reason=request.POST.get("reason", "")
            )
            return "cancelled."

        decide_each(request, chosen, decide)


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
            review_flag(flag_id=flag.pk, user=operator(request), verdict=verdict, note=flag.note)
        self.message_user(request, f"{len(chosen)} now {verdict}.")
