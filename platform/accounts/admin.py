"""Users and teams in Django's admin."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.forms import ModelForm
from django.http import HttpRequest

from accounts.models import Membership, Team, User
from accounts.services import ensure_personal_team


class MembershipInline(admin.TabularInline):
    """Who belongs to a team."""

    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(User)
class PersonAdmin(UserAdmin):
    """Django's own page of users; whoever is saved here can submit alone."""

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        """Save the user, and give one who has none a team of one."""
        super().save_model(request, obj, form, change)
        ensure_personal_team(user=obj)


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin):
    """Teams with their members; a team of one is made with its user, not here."""

    list_display = ("name", "slug", "is_personal", "created_at")
    list_filter = ("is_personal",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("is_personal",)
    inlines = (MembershipInline,)
