"""Competitions and phases in the admin: texts and dates may be edited, what scores depend on is decided anew."""

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ActionForm
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from competitions import models
from competitions.admin.base import decide_each, operator
from competitions.services.moderation import rescore_phase
from evaluation.spec import load_suite, suite_ids


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


class SuiteForm(ActionForm):
    """The suite for a rescoring, beside the choice of the action."""

    suite = forms.ChoiceField(choices=[("", "suite"), *((name, name) for name in suite_ids())])


@admin.register(models.Phase)
class PhaseAdmin(admin.ModelAdmin):
    """Dates and quotas of a phase; data, suite and limits decide scores, so they are fixed once it exists.

    The action gives it another suite, together with new scores for all that was scored.
    """

    list_display = ("competition", "slug", "opens_at", "closes_at", "runs_per_day", "runs_total")
    list_filter = ("competition",)
    list_select_related = ("competition",)
    actions = ("rescore",)
    action_form = SuiteForm
    fixed = (
        "competition",
        "slug",
        "dataset_version",
        "suite",
        "required_coverage",
        "counting",
        "finals_per_team",
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

    @admin.action(description="Score stored outputs by the suite beside this")
    def rescore(self, request: HttpRequest, chosen: QuerySet[models.Phase]) -> None:
        """Have the chosen phases scored by another suite."""
        suite = load_suite(request.POST["suite"])

        def decide(phase: models.Phase) -> str:
            queued = rescore_phase(phase_pk=phase.pk, suite=suite, user=operator(request))
            return f"{suite.id} from now on; {len(queued)} rescorings are queued."

        decide_each(request, chosen, decide)
