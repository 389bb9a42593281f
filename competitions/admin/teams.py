"""Teams in the admin: boards show their names."""

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from accounts.models import Membership, Team
from competitions.services.board_versions import touch_boards_of_team


class MembershipInline(admin.TabularInline):
    """Who belongs to a team."""

    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin):
    """Teams with their members; a team of one is made with its user, not here."""

    list_display = ("name", "slug", "is_personal", "created_at")
    list_filter = ("is_personal",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("is_personal",)
    inlines = (MembershipInline,)

    def save_model(self, request: HttpRequest, obj: Team, form: ModelForm, change: bool) -> None:
        """Save the team, and have its name shown on boards at once."""
        super().save_model(request, obj, form, change)
        touch_boards_of_team(obj.pk)
